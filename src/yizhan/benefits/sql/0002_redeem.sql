-- The one way to redeem. Order: the request; the rules; one lock; what is left; the writing.

-- Rules that need no lock. `refusal` is null when they admit the worker; `day` and `period` are those that count. The
-- rest is what the later steps need of the offer and its programme, read once.
CREATE FUNCTION benefits_rules(
    p_offer bigint, p_worker bigint, p_channel text, p_at timestamptz,
    OUT refusal text, OUT day date, OUT period bigint, OUT programme bigint, OUT owner bigint, OUT place bigint,
    OUT merchant bigint, OUT list_price integer, OUT worker_share integer, OUT merchant_share integer,
    OUT quota_period integer, OUT quota_day integer, OUT quota_month integer, OUT place_quota integer
) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    v record;
    v_local timestamp := p_at AT TIME ZONE 'Asia/Shanghai';
    v_minute integer := extract(hour FROM v_local)::integer * 60 + extract(minute FROM v_local)::integer;
    v_yesterday bigint;
    v_day date := v_local::date;
    v_refusal text;
BEGIN
    SELECT o.programme_id, o.place_id, o.list_price_fen, o.worker_fen, o.merchant_fen, o.merchant_account_id, o.is_active,
           p.union_id, p.state, p.starts_on, p.ends_on, p.weekdays, p.occupations, p.companies, p.memberships,
           p.quota_period, p.quota_day, p.quota_month, p.place_quota_day, p.allotment, p.takes_paper,
           own.path AS own_path, l.status, w.occupation, w.platform_company, w.membership,
           coalesce(u.path, '') AS path,
           EXISTS (SELECT 1 FROM benefits_period t WHERE t.programme_id = p.id) AS has_periods,
           EXISTS (SELECT 1 FROM benefits_programme_unions t WHERE t.programme_id = p.id) AS has_unions,
           EXISTS (SELECT 1 FROM benefits_exclusion t WHERE t.worker_id = p_worker AND t.lifted_at IS NULL) AS is_kept
      INTO v
      FROM benefits_benefitoffer o
      JOIN benefits_programme p ON p.id = o.programme_id
      JOIN unions_union own ON own.id = p.union_id
      JOIN places_place l ON l.id = o.place_id
      LEFT JOIN unions_worker w ON w.id = p_worker
      LEFT JOIN unions_union u ON u.id = w.union_id
     WHERE o.id = p_offer;
    IF NOT FOUND THEN
        refusal := 'unknown_offer';
        RETURN;
    END IF;
    programme := v.programme_id;
    owner := v.union_id;
    place := v.place_id;
    merchant := v.merchant_account_id;
    list_price := v.list_price_fen;
    worker_share := v.worker_fen;
    merchant_share := v.merchant_fen;
    quota_period := v.quota_period;
    quota_day := v.quota_day;
    quota_month := v.quota_month;
    place_quota := v.place_quota_day;
    IF v.has_periods THEN
        SELECT min(t.id) FILTER (WHERE t.starts_minute <= v_minute AND v_minute < t.ends_minute),
               min(t.id) FILTER (WHERE v_minute + 1440 < t.ends_minute)
          INTO period, v_yesterday FROM benefits_period t WHERE t.programme_id = v.programme_id;
        IF period IS NULL AND v_yesterday IS NOT NULL THEN
            v_day := v_day - 1;
            period := v_yesterday;
        END IF;
    END IF;
    day := v_day;
    v_refusal := CASE
        WHEN v.state <> 'open' THEN 'programme_not_open'
        WHEN NOT v.is_active THEN 'offer_not_available'
        WHEN v.status <> 'published' THEN 'place_not_open'
        WHEN v_day < v.starts_on THEN 'before_start'
        WHEN v_day > v.ends_on THEN 'after_end'
        WHEN NOT extract(isodow FROM v_day)::smallint = ANY (v.weekdays) THEN 'wrong_weekday'
        WHEN v.has_periods AND period IS NULL THEN 'outside_periods'
        WHEN p_worker IS NULL THEN CASE WHEN p_channel <> 'paper' OR NOT v.takes_paper THEN 'paper_not_taken' END
        WHEN cardinality(v.occupations) > 0 AND NOT v.occupation = ANY (v.occupations) THEN 'occupation'
        WHEN cardinality(v.companies) > 0 AND NOT v.platform_company = ANY (v.companies) THEN 'company'
        WHEN cardinality(v.memberships) > 0 AND NOT v.membership = ANY (v.memberships) THEN 'membership'
    END;
    IF v_refusal IS NULL AND p_worker IS NOT NULL THEN
        IF v.has_unions AND NOT EXISTS (
            SELECT 1 FROM benefits_programme_unions t JOIN unions_union allowed ON allowed.id = t.union_id
             WHERE t.programme_id = v.programme_id AND starts_with(v.path, allowed.path)
        ) THEN
            v_refusal := 'union';
        ELSIF v.is_kept AND EXISTS (
            SELECT 1 FROM benefits_exclusion t JOIN unions_union keeper ON keeper.id = t.union_id
             WHERE t.worker_id = p_worker AND t.lifted_at IS NULL AND t.since <= p_at
               AND (t.until IS NULL OR t.until > p_at)
               AND (t.programme_id = v.programme_id OR (t.programme_id IS NULL AND starts_with(v.own_path, keeper.path)))
        ) THEN
            v_refusal := 'excluded';
        ELSIF v.allotment = 'lottery' AND NOT EXISTS (
            SELECT 1 FROM benefits_lotteryticket t JOIN benefits_lottery drawn ON drawn.id = t.lottery_id
             WHERE t.worker_id = p_worker AND t.won AND drawn.programme_id = v.programme_id
               AND v_day BETWEEN drawn.valid_from AND drawn.valid_until
        ) THEN
            v_refusal := 'not_drawn';
        END IF;
    END IF;
    refusal := v_refusal;
END $$;

-- Quotas of a worker; the caller holds the worker's lock when it matters.
CREATE FUNCTION benefits_quotas(
    p_programme bigint, p_worker bigint, p_day date, p_period bigint, p_per_period integer, p_per_day integer,
    p_per_month integer
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_first date := p_day;
    v_last date := p_day;
    v_period integer;
    v_day integer;
    v_month integer;
BEGIN
    IF p_per_month IS NOT NULL THEN
        v_first := p_day - extract(day FROM p_day)::integer + 1;
        v_last := (v_first + interval '1 month')::date - 1;
    END IF;
    SELECT count(*) FILTER (WHERE day = p_day AND period_id IS NOT DISTINCT FROM p_period),
           count(*) FILTER (WHERE day = p_day), count(*)
      INTO v_period, v_day, v_month
      FROM benefits_redemption
     WHERE worker_id = p_worker AND programme_id + 0 = p_programme  -- by the worker's index, also before statistics
       AND state = 'redeemed' AND day BETWEEN v_first AND v_last;
    RETURN CASE
        WHEN v_period >= p_per_period THEN 'quota_period'
        WHEN v_day >= p_per_day THEN 'quota_day'
        WHEN v_month >= p_per_month THEN 'quota_month'
    END;
END $$;

-- The books of one redemption: each party gives its share, the merchant is owed the list price.
CREATE FUNCTION benefits_book(
    p_redemption bigint, p_programme bigint, p_union bigint, p_offer bigint, p_merchant bigint, p_price integer,
    p_at timestamptz, p_now timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_transaction bigint;
BEGIN
    INSERT INTO benefits_ledgertransaction (kind, programme_id, union_id, redemption_id, memo, happened_at, posted_at)
    VALUES ('redeemed', p_programme, p_union, p_redemption, '', p_at, p_now) RETURNING id INTO v_transaction;
    INSERT INTO benefits_entry (transaction_id, account_id, fen)
    SELECT v_transaction, account_id, -fen FROM benefits_offershare WHERE offer_id = p_offer AND fen > 0
    UNION ALL SELECT v_transaction, p_merchant, p_price;
END $$;

-- Count one more at a place that day; false when the programme's limit is reached. The day begins with what was redeemed
-- before there was a limit.
CREATE FUNCTION benefits_take_place_day(p_programme bigint, p_place bigint, p_day date, p_limit integer)
RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM benefits_placeday WHERE programme_id = p_programme AND place_id = p_place AND day = p_day)
    THEN
        INSERT INTO benefits_placeday (programme_id, place_id, day, used)
        SELECT p_programme, p_place, p_day, count(*) FROM benefits_redemption
         WHERE place_id = p_place AND programme_id + 0 = p_programme AND day = p_day AND state = 'redeemed'
           AND redeemed_at > p_day - interval '2 days' AND redeemed_at < p_day + interval '3 days'
        ON CONFLICT (programme_id, place_id, day) DO NOTHING;
    END IF;
    UPDATE benefits_placeday SET used = used + 1
     WHERE programme_id = p_programme AND place_id = p_place AND day = p_day AND used < p_limit;
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
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_kept benefits_redemption;
    v_rules record;
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
        SELECT c.* INTO v_rules FROM benefits_rules(p_offer, p_worker, p_channel, p_at) c;
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
            CASE WHEN p_worker IS NULL THEN p_request::text ELSE v_rules.programme || ' ' || p_worker END, 7101));
    END LOOP;
    IF p_dry THEN
        SELECT c.* INTO v_rules FROM benefits_rules(p_offer, p_worker, p_channel, p_at) c;
        reason := v_rules.refusal;
    END IF;
    IF reason IS NULL AND p_worker IS NOT NULL
       AND num_nonnulls(v_rules.quota_period, v_rules.quota_day, v_rules.quota_month) > 0 THEN
        reason := benefits_quotas(v_rules.programme, p_worker, v_rules.day, v_rules.period, v_rules.quota_period,
                                  v_rules.quota_day, v_rules.quota_month);
    END IF;
    IF p_dry THEN
        IF reason IS NULL AND EXISTS (
            SELECT 1 FROM benefits_placeday k WHERE k.programme_id = v_rules.programme AND k.place_id = v_rules.place
               AND k.day = v_rules.day AND k.used >= v_rules.place_quota
        ) THEN
            reason := 'place_quota';
        END IF;
        IF reason IS NULL AND EXISTS (
            SELECT 1 FROM benefits_offershare s JOIN benefits_budget b ON b.account_id = s.account_id
             WHERE s.offer_id = p_offer AND s.fen > 0 AND b.is_active
               AND (b.programme_id IS NULL OR b.programme_id = v_rules.programme)
               AND s.fen > coalesce((SELECT sum(x.allotted_fen - x.spent_fen) FROM benefits_budgetshard x
                    WHERE x.budget_id = b.id AND x.bucket = benefits_bucket(b.span, v_rules.day)), b.cap_fen)
        ) THEN
            reason := 'budget';
        END IF;
        outcome := CASE WHEN reason IS NULL THEN 'done' ELSE 'refused' END;
        RETURN;
    END IF;
    IF reason IS NULL AND v_rules.place_quota IS NOT NULL AND NOT benefits_take_place_day(
        v_rules.programme, v_rules.place, v_rules.day, v_rules.place_quota
    ) THEN
        reason := 'place_quota';
    END IF;
    IF reason IS NULL THEN
        SELECT c.* INTO v_charge FROM benefits_charge(
            p_offer, v_rules.programme, v_rules.day, hashtext(p_request::text) & 2147483647, p_all) c;
        IF v_charge.outcome = 'again' THEN
            outcome := 'again';
            RETURN;
        ELSIF v_charge.outcome = 'budget' THEN
            reason := 'budget';
            IF v_rules.place_quota IS NOT NULL THEN
                UPDATE benefits_placeday k SET used = k.used - 1
                 WHERE k.programme_id = v_rules.programme AND k.place_id = v_rules.place AND k.day = v_rules.day;
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
    list_price := v_rules.list_price;
    worker_share := v_rules.worker_share;
    merchant_share := v_rules.merchant_share;
    day := v_rules.day;
    redeemed := p_at;
    INSERT INTO benefits_redemption (
        public_id, device, request_id, programme_id, offer_id, place_id, union_id, worker_id, cashier_id, by_id, channel,
        offline, state, reason, day, period_id, redeemed_at, recorded_at, list_price_fen, worker_fen, merchant_fen,
        funded_fen, distance_m, charged_shards, charged_fen, ended_reason
    ) VALUES (
        p_public_id, p_device, p_request, v_rules.programme, p_offer, v_rules.place, v_rules.owner, p_worker,
        p_cashier, p_by, p_channel, p_offline, state, coalesce(reason, ''), day, v_rules.period, p_at, p_now, list_price,
        worker_share, merchant_share, list_price - worker_share - merchant_share, p_distance, v_shards, v_fens, ''
    ) RETURNING id INTO redemption;
    IF state = 'redeemed' THEN
        PERFORM benefits_book(redemption, v_rules.programme, v_rules.owner, p_offer, v_rules.merchant, list_price, p_at,
                              p_now);
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
        PERFORM benefits_take_place_day(v_kept.programme_id, v_kept.place_id, v_kept.day, 2147483647);
    END IF;
    SELECT c.* INTO v_charge FROM benefits_charge(v_kept.offer_id, v_kept.programme_id, v_kept.day, 0, true) c;
    IF v_charge.outcome <> 'done' THEN
        RETURN v_charge.outcome;
    END IF;
    UPDATE benefits_redemption SET charged_shards = v_charge.shards, charged_fen = v_charge.fens WHERE id = p_redemption;
    PERFORM benefits_book(p_redemption, v_kept.programme_id, v_kept.union_id, v_offer.id, v_offer.merchant_account_id,
                          v_offer.list_price_fen, v_kept.redeemed_at, p_now);
    RETURN 'done';
END $$;
