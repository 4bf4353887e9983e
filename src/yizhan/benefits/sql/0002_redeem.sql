-- The one way to redeem. Order: the request; the rules; one lock; what is left; the writing.

-- Rules that need no lock. `refusal` is null when they admit the worker. `day` and `period` are those that count.
CREATE FUNCTION benefits_rules(
    p_offer bigint, p_worker bigint, p_channel text, p_at timestamptz,
    OUT refusal text, OUT day date, OUT period bigint, OUT programme benefits_programme, OUT offer benefits_benefitoffer
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_local timestamp := p_at AT TIME ZONE 'Asia/Shanghai';
    v_minute integer := extract(hour FROM v_local) * 60 + extract(minute FROM v_local);
    v_place text;
    v_worker record;
    v_periods integer;
    v_today bigint;
    v_yesterday bigint;
    v_unions integer;
    v_within boolean;
BEGIN
    SELECT o.* INTO offer FROM benefits_benefitoffer o WHERE o.id = p_offer;
    IF NOT FOUND THEN
        refusal := 'unknown_offer';
        RETURN;
    END IF;
    SELECT p.* INTO programme FROM benefits_programme p WHERE p.id = offer.programme_id;
    SELECT status INTO v_place FROM places_place WHERE id = offer.place_id;
    SELECT count(*), min(id) FILTER (WHERE starts_minute <= v_minute AND v_minute < ends_minute),
           min(id) FILTER (WHERE v_minute + 1440 < ends_minute)
      INTO v_periods, v_today, v_yesterday FROM benefits_period WHERE programme_id = programme.id;
    day := v_local::date;
    period := v_today;
    IF v_today IS NULL AND v_yesterday IS NOT NULL THEN
        day := day - 1;
        period := v_yesterday;
    END IF;
    refusal := CASE
        WHEN programme.state <> 'open' THEN 'programme_not_open'
        WHEN NOT offer.is_active THEN 'offer_not_available'
        WHEN v_place <> 'published' THEN 'place_not_open'
        WHEN day < programme.starts_on THEN 'before_start'
        WHEN day > programme.ends_on THEN 'after_end'
        WHEN NOT extract(isodow FROM day)::smallint = ANY (programme.weekdays) THEN 'wrong_weekday'
        WHEN v_periods > 0 AND period IS NULL THEN 'outside_periods'
    END;
    IF refusal IS NOT NULL THEN
        RETURN;
    END IF;
    IF p_worker IS NULL THEN
        IF p_channel <> 'paper' OR NOT programme.takes_paper THEN
            refusal := 'paper_not_taken';
        END IF;
        RETURN;
    END IF;
    SELECT w.occupation, w.platform_company, w.membership, coalesce(u.path, '') AS path INTO v_worker
      FROM unions_worker w LEFT JOIN unions_union u ON u.id = w.union_id WHERE w.id = p_worker;
    IF cardinality(programme.occupations) > 0 AND NOT v_worker.occupation = ANY (programme.occupations) THEN
        refusal := 'occupation';
    ELSIF cardinality(programme.companies) > 0 AND NOT v_worker.platform_company = ANY (programme.companies) THEN
        refusal := 'company';
    ELSIF cardinality(programme.memberships) > 0 AND NOT v_worker.membership = ANY (programme.memberships) THEN
        refusal := 'membership';
    ELSE
        SELECT count(*), bool_or(starts_with(v_worker.path, u.path)) INTO v_unions, v_within
          FROM benefits_programme_unions pu JOIN unions_union u ON u.id = pu.union_id
         WHERE pu.programme_id = programme.id;
        IF v_unions > 0 AND NOT v_within THEN
            refusal := 'union';
        ELSIF EXISTS (
            SELECT 1 FROM benefits_exclusion e JOIN unions_union u ON u.id = e.union_id
              JOIN unions_union mine ON mine.id = programme.union_id
             WHERE e.worker_id = p_worker AND e.lifted_at IS NULL AND e.since <= p_at
               AND (e.until IS NULL OR e.until > p_at)
               AND (e.programme_id = programme.id OR (e.programme_id IS NULL AND starts_with(mine.path, u.path)))
        ) THEN
            refusal := 'excluded';
        ELSIF programme.allotment = 'lottery' AND NOT EXISTS (
            SELECT 1 FROM benefits_lotteryticket t JOIN benefits_lottery l ON l.id = t.lottery_id
             WHERE t.worker_id = p_worker AND t.won AND l.programme_id = programme.id
               AND day BETWEEN l.valid_from AND l.valid_until
        ) THEN
            refusal := 'not_drawn';
        END IF;
    END IF;
END $$;

-- Quotas of a worker; the caller holds the worker's lock when it matters.
CREATE FUNCTION benefits_quotas(p_programme benefits_programme, p_worker bigint, p_day date, p_period bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_period integer;
    v_day integer;
    v_month integer;
BEGIN
    IF p_worker IS NULL OR num_nonnulls(p_programme.quota_period, p_programme.quota_day, p_programme.quota_month) = 0 THEN
        RETURN NULL;
    END IF;
    SELECT count(*) FILTER (WHERE day = p_day AND period_id IS NOT DISTINCT FROM p_period),
           count(*) FILTER (WHERE day = p_day), count(*)
      INTO v_period, v_day, v_month
      FROM benefits_redemption
     WHERE worker_id = p_worker AND programme_id = p_programme.id AND state = 'redeemed'
       AND day >= date_trunc('month', p_day)::date AND day < (date_trunc('month', p_day) + interval '1 month')::date;
    RETURN CASE
        WHEN v_period >= p_programme.quota_period THEN 'quota_period'
        WHEN v_day >= p_programme.quota_day THEN 'quota_day'
        WHEN v_month >= p_programme.quota_month THEN 'quota_month'
    END;
END $$;

-- The books of one redemption: each party gives its share, the merchant is owed the list price.
CREATE FUNCTION benefits_book(
    p_redemption bigint, p_programme bigint, p_union bigint, p_offer benefits_benefitoffer, p_at timestamptz,
    p_now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_transaction bigint;
BEGIN
    INSERT INTO benefits_ledgertransaction (kind, programme_id, union_id, redemption_id, memo, happened_at, posted_at)
    VALUES ('redeemed', p_programme, p_union, p_redemption, '', p_at, p_now) RETURNING id INTO v_transaction;
    INSERT INTO benefits_entry (transaction_id, account_id, fen)
    SELECT v_transaction, account_id, -fen FROM benefits_offershare WHERE offer_id = p_offer.id AND fen > 0
    UNION ALL SELECT v_transaction, p_offer.merchant_account_id, p_offer.list_price_fen;
END $$;

-- Count one more at a place that day; false when the programme's limit is reached.
CREATE FUNCTION benefits_take_place_day(p_programme benefits_programme, p_place bigint, p_day date)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF p_programme.place_quota_day IS NULL THEN
        RETURN true;
    END IF;
    INSERT INTO benefits_placeday AS kept (programme_id, place_id, day, used)
    SELECT p_programme.id, p_place, p_day, 1 WHERE p_programme.place_quota_day > 0
    ON CONFLICT (programme_id, place_id, day) DO UPDATE SET used = kept.used + 1
        WHERE kept.used < p_programme.place_quota_day;
    RETURN FOUND;
END $$;

-- `outcome`: done, repeated, refused (see `reason`), again (call once more with p_all, after giving up all locks).
-- p_dry: only say what would happen; takes no lock.
CREATE FUNCTION benefits_redeem(
    p_public_id uuid, p_device text, p_request uuid, p_offer bigint, p_worker bigint, p_cashier bigint, p_by bigint,
    p_channel text, p_at timestamptz, p_now timestamptz, p_offline boolean, p_distance integer, p_all boolean,
    p_dry boolean,
    OUT outcome text, OUT reason text, OUT redemption bigint, OUT public_id uuid, OUT state text, OUT list_price integer,
    OUT worker_share integer, OUT merchant_share integer, OUT day date, OUT redeemed timestamptz
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_kept benefits_redemption;
    v_rules record;
    v_offer benefits_benefitoffer;
    v_programme benefits_programme;
    v_charge record;
    v_shards bigint[] := '{}';
    v_fens bigint[] := '{}';
BEGIN
    FOR v_turn IN 1..2 LOOP
        -- The request first: whoever repeats one is answered as before, whatever the rules say by now.
        SELECT r.* INTO v_kept FROM benefits_redemption r WHERE r.request_id = p_request AND r.device = p_device;
        IF FOUND THEN
            IF v_kept.offer_id <> p_offer OR v_kept.worker_id IS DISTINCT FROM p_worker THEN
                outcome := 'refused';
                reason := 'request_reused';
                RETURN;
            END IF;
            outcome := 'repeated';
            reason := v_kept.reason;
            redemption := v_kept.id;
            public_id := v_kept.public_id;
            state := v_kept.state;
            list_price := v_kept.list_price_fen;
            worker_share := v_kept.worker_fen;
            merchant_share := v_kept.merchant_fen;
            day := v_kept.day;
            redeemed := v_kept.redeemed_at;
            RETURN;
        END IF;
        EXIT WHEN v_turn = 2 OR p_dry;
        v_rules := benefits_rules(p_offer, p_worker, p_channel, p_at);
        v_offer := v_rules.offer;
        v_programme := v_rules.programme;
        reason := v_rules.refusal;
        IF p_offline AND reason IS NULL AND (p_at > p_now + interval '10 minutes' OR p_at < p_now - interval '7 days') THEN
            reason := 'wrong_time';
        END IF;
        IF reason = 'unknown_offer' OR (reason IS NOT NULL AND NOT p_offline) THEN
            outcome := 'refused';
            RETURN;
        END IF;
        -- The one lock of a worker in a programme (of the request where there is no worker), then look again.
        PERFORM pg_advisory_xact_lock(hashtextextended(
            CASE WHEN p_worker IS NULL THEN p_request::text ELSE v_programme.id || ' ' || p_worker END, 7101));
    END LOOP;
    IF p_dry THEN
        v_rules := benefits_rules(p_offer, p_worker, p_channel, p_at);
        v_offer := v_rules.offer;
        v_programme := v_rules.programme;
        reason := v_rules.refusal;
    END IF;
    IF reason IS NULL THEN
        reason := benefits_quotas(v_programme, p_worker, v_rules.day, v_rules.period);
    END IF;
    IF p_dry THEN
        IF reason IS NULL AND EXISTS (
            SELECT 1 FROM benefits_placeday k WHERE k.programme_id = v_programme.id AND k.place_id = v_offer.place_id
               AND k.day = v_rules.day AND k.used >= v_programme.place_quota_day
        ) THEN
            reason := 'place_quota';
        END IF;
        IF reason IS NULL AND EXISTS (
            SELECT 1 FROM benefits_offershare s JOIN benefits_budget b ON b.account_id = s.account_id
             WHERE s.offer_id = p_offer AND s.fen > 0 AND b.is_active
               AND (b.programme_id IS NULL OR b.programme_id = v_programme.id)
               AND s.fen > coalesce((SELECT sum(x.allotted_fen - x.spent_fen) FROM benefits_budgetshard x
                    WHERE x.budget_id = b.id AND x.bucket = benefits_bucket(b.span, v_rules.day)), b.cap_fen)
        ) THEN
            reason := 'budget';
        END IF;
        outcome := CASE WHEN reason IS NULL THEN 'done' ELSE 'refused' END;
        RETURN;
    END IF;
    IF reason IS NULL AND NOT benefits_take_place_day(v_programme, v_offer.place_id, v_rules.day) THEN
        reason := 'place_quota';
    END IF;
    IF reason IS NULL THEN
        SELECT c.* INTO v_charge FROM benefits_charge(
            p_offer, v_programme.id, v_rules.day, hashtext(p_request::text) & 2147483647, p_all) c;
        IF v_charge.outcome = 'again' THEN
            outcome := 'again';
            RETURN;
        ELSIF v_charge.outcome = 'budget' THEN
            reason := 'budget';
            IF v_programme.place_quota_day IS NOT NULL THEN
                UPDATE benefits_placeday k SET used = k.used - 1
                 WHERE k.programme_id = v_programme.id AND k.place_id = v_offer.place_id AND k.day = v_rules.day;
            END IF;
        ELSE
            v_shards := v_charge.shards;
            v_fens := v_charge.fens;
        END IF;
    END IF;
    IF reason IS NOT NULL AND NOT p_offline THEN
        outcome := 'refused';
        RETURN;
    END IF;
    outcome := 'done';
    public_id := p_public_id;
    state := CASE WHEN reason IS NULL THEN 'redeemed' ELSE 'exception' END;
    list_price := v_offer.list_price_fen;
    worker_share := v_offer.worker_fen;
    merchant_share := v_offer.merchant_fen;
    day := v_rules.day;
    redeemed := p_at;
    INSERT INTO benefits_redemption (
        public_id, device, request_id, programme_id, offer_id, place_id, union_id, worker_id, cashier_id, by_id, channel,
        offline, state, reason, day, period_id, redeemed_at, recorded_at, list_price_fen, worker_fen, merchant_fen,
        funded_fen, distance_m, charged_shards, charged_fen, ended_reason
    ) VALUES (
        p_public_id, p_device, p_request, v_programme.id, v_offer.id, v_offer.place_id, v_programme.union_id, p_worker,
        p_cashier, p_by, p_channel, p_offline, state, coalesce(reason, ''), day, v_rules.period, p_at, p_now, list_price,
        worker_share, merchant_share, list_price - worker_share - merchant_share, p_distance, v_shards, v_fens, ''
    ) RETURNING id INTO redemption;
    IF state = 'redeemed' THEN
        PERFORM benefits_book(redemption, v_programme.id, v_programme.union_id, v_offer, p_at, p_now);
    END IF;
    reason := coalesce(reason, '');
END $$;

-- Rows that change with every redemption: leave room on their pages, so that changes stay where they are.
ALTER TABLE benefits_budgetshard SET (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE benefits_placeday SET (fillfactor = 50);

-- Charge and book a redemption that staff accept although it breaks a rule. Its row is locked by the caller; its amounts
-- become those of the split that holds now. Gives done, or budget.
CREATE FUNCTION benefits_accept(p_redemption bigint, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_kept benefits_redemption;
    v_offer benefits_benefitoffer;
    v_programme benefits_programme;
    v_charge record;
BEGIN
    SELECT * INTO v_kept FROM benefits_redemption WHERE id = p_redemption;
    SELECT * INTO v_programme FROM benefits_programme WHERE id = v_kept.programme_id;
    SELECT * INTO v_offer FROM benefits_benefitoffer WHERE id = v_kept.offer_id;
    IF (v_offer.list_price_fen, v_offer.worker_fen, v_offer.merchant_fen)
       <> (v_kept.list_price_fen, v_kept.worker_fen, v_kept.merchant_fen) THEN
        -- The split has changed since: what is booked is what holds now, and the row follows.
        UPDATE benefits_redemption SET list_price_fen = v_offer.list_price_fen, worker_fen = v_offer.worker_fen,
               merchant_fen = v_offer.merchant_fen,
               funded_fen = v_offer.list_price_fen - v_offer.worker_fen - v_offer.merchant_fen
         WHERE id = p_redemption;
    END IF;
    IF v_kept.worker_id IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(v_kept.programme_id || ' ' || v_kept.worker_id, 7101));
    END IF;
    IF v_programme.place_quota_day IS NOT NULL THEN
        INSERT INTO benefits_placeday AS kept (programme_id, place_id, day, used)
        VALUES (v_kept.programme_id, v_kept.place_id, v_kept.day, 1)
        ON CONFLICT (programme_id, place_id, day) DO UPDATE SET used = kept.used + 1;
    END IF;
    SELECT c.* INTO v_charge FROM benefits_charge(v_kept.offer_id, v_kept.programme_id, v_kept.day, 0, true) c;
    IF v_charge.outcome <> 'done' THEN
        RETURN v_charge.outcome;
    END IF;
    UPDATE benefits_redemption SET charged_shards = v_charge.shards, charged_fen = v_charge.fens WHERE id = p_redemption;
    PERFORM benefits_book(p_redemption, v_kept.programme_id, v_kept.union_id, v_offer, v_kept.redeemed_at, p_now);
    RETURN 'done';
END $$;
