-- The same rules and the same answers as in 0002, with half the work. Learnt from measuring: a look-up by one key costs
-- a few microseconds, a join or an aggregate in a function some twenty, whatever it finds; a function called by
-- assignment costs nothing to speak of, one called in a query as much as a join.
DROP FUNCTION benefits_redeem(uuid, text, uuid, bigint, bigint, bigint, bigint, text, timestamptz, timestamptz, boolean, integer, boolean, boolean);
DROP FUNCTION benefits_rules(bigint, bigint, text, timestamptz);
DROP FUNCTION benefits_charge(bigint, bigint, date, integer, boolean);
DROP FUNCTION benefits_book(bigint, bigint, bigint, bigint, bigint, integer, timestamptz, timestamptz);
DROP FUNCTION benefits_quotas(bigint, bigint, date, bigint, integer, integer, integer);

-- Rules that need no lock. `refusal` is null when they admit the worker; `day` and `period` are those that count; `card`
-- is what the later steps need of the offer.
CREATE FUNCTION benefits_rules(
    p_offer bigint, p_worker bigint, p_channel text, p_at timestamptz,
    OUT refusal text, OUT day date, OUT period bigint, OUT card benefits_offercard
) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    v record;
    v_card benefits_offercard;
    v_local timestamp := p_at AT TIME ZONE 'Asia/Shanghai';
    v_minute integer := extract(hour FROM v_local)::integer * 60 + extract(minute FROM v_local)::integer;
    v_today date := v_local::date;
    v_yesterday bigint;
BEGIN
    SELECT * INTO v_card FROM benefits_offercard c WHERE c.offer_id = p_offer;
    IF NOT FOUND THEN
        refusal := 'unknown_offer';
        RETURN;
    END IF;
    SELECT l.status, w.occupation, w.platform_company, w.membership, w.union_id,
           EXISTS (SELECT 1 FROM benefits_exclusion t WHERE t.worker_id = p_worker AND t.lifted_at IS NULL) AS is_kept
      INTO v FROM places_place l LEFT JOIN unions_worker w ON w.id = p_worker WHERE l.id = v_card.place_id;
    card := v_card;
    FOR n IN 1 .. cardinality(v_card.periods) LOOP
        IF v_card.period_starts[n] <= v_minute AND v_minute < v_card.period_ends[n] THEN
            period := coalesce(period, v_card.periods[n]);
        ELSIF v_minute + 1440 < v_card.period_ends[n] THEN
            v_yesterday := coalesce(v_yesterday, v_card.periods[n]);
        END IF;
    END LOOP;
    IF period IS NULL AND v_yesterday IS NOT NULL THEN
        v_today := v_today - 1;
        period := v_yesterday;
    END IF;
    day := v_today;
    refusal := CASE
        WHEN NOT v_card.programme_is_open THEN 'programme_not_open'
        WHEN NOT v_card.is_active THEN 'offer_not_available'
        WHEN v.status <> 'published' THEN 'place_not_open'
        WHEN v_today < v_card.starts_on THEN 'before_start'
        WHEN v_today > v_card.ends_on THEN 'after_end'
        WHEN NOT extract(isodow FROM v_today)::smallint = ANY (v_card.weekdays) THEN 'wrong_weekday'
        WHEN cardinality(v_card.periods) > 0 AND period IS NULL THEN 'outside_periods'
        WHEN p_worker IS NULL THEN CASE WHEN p_channel <> 'paper' OR NOT v_card.takes_paper THEN 'paper_not_taken' END
        WHEN cardinality(v_card.occupations) > 0 AND NOT v.occupation = ANY (v_card.occupations) THEN 'occupation'
        WHEN cardinality(v_card.companies) > 0 AND NOT v.platform_company = ANY (v_card.companies) THEN 'company'
        WHEN cardinality(v_card.memberships) > 0 AND NOT v.membership = ANY (v_card.memberships) THEN 'membership'
    END;
    IF refusal IS NOT NULL OR p_worker IS NULL THEN
        RETURN;
    END IF;
    -- What needs more look-ups, and only where there is something to look up.
    IF cardinality(v_card.unions) > 0 THEN
        IF NOT EXISTS (
            SELECT 1 FROM unions_union own JOIN unions_union allowed ON starts_with(own.path, allowed.path)
             WHERE own.id = v.union_id AND allowed.id = ANY (v_card.unions)
        ) THEN
            refusal := 'union';
            RETURN;
        END IF;
    END IF;
    IF v.is_kept THEN
        IF EXISTS (
            SELECT 1 FROM benefits_exclusion t JOIN unions_union keeper ON keeper.id = t.union_id
              JOIN unions_union own ON own.id = v_card.owner_id
             WHERE t.worker_id = p_worker AND t.lifted_at IS NULL AND t.since <= p_at
               AND (t.until IS NULL OR t.until > p_at)
               AND (t.programme_id = v_card.programme_id
                    OR (t.programme_id IS NULL AND starts_with(own.path, keeper.path)))
        ) THEN
            refusal := 'excluded';
            RETURN;
        END IF;
    END IF;
    IF v_card.is_drawn THEN
        IF NOT EXISTS (
            SELECT 1 FROM benefits_lotteryticket t JOIN benefits_lottery drawn ON drawn.id = t.lottery_id
             WHERE t.worker_id = p_worker AND t.won AND drawn.programme_id = v_card.programme_id
               AND v_today BETWEEN drawn.valid_from AND drawn.valid_until
        ) THEN
            refusal := 'not_drawn';
        END IF;
    END IF;
END $$;

-- Charge every budget that an offer's shares touch, in the order given. `outcome`: done, budget (one of them does not
-- hold so much; nothing is charged), again (see benefits_borrow; nothing is charged). `rows` are the shares charged.
CREATE FUNCTION benefits_charge(
    p_budgets bigint[], p_spans text[], p_shards smallint[], p_fens integer[], p_day date, p_hash integer, p_all boolean,
    OUT outcome text, OUT rows bigint[], OUT fens bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    v_bucket date;
    v_buckets date[] := '{}';
    v_row bigint;
BEGIN
    rows := '{}';
    fens := '{}';
    outcome := 'done';
    FOR n IN 1 .. coalesce(cardinality(p_budgets), 0) LOOP
        v_buckets[n] := CASE p_spans[n] WHEN 'day' THEN p_day WHEN 'total' THEN DATE '2000-01-01'
                                        ELSE p_day - extract(day FROM p_day)::integer + 1 END;
    END LOOP;
    IF p_all THEN
        PERFORM benefits_borrow(b.id, b.bucket, 0, 0, false)  -- lays out what is missing
           FROM unnest(p_budgets, v_buckets) AS b(id, bucket)
          WHERE NOT EXISTS (SELECT 1 FROM benefits_budgetshard x WHERE x.budget_id = b.id AND x.bucket = b.bucket);
        PERFORM 1 FROM benefits_budgetshard x
           JOIN unnest(p_budgets, v_buckets) AS b(id, bucket) ON b.id = x.budget_id AND b.bucket = x.bucket
          ORDER BY x.budget_id, x.bucket, x.shard FOR UPDATE OF x;
    END IF;
    FOR n IN 1 .. coalesce(cardinality(p_budgets), 0) LOOP
        v_bucket := v_buckets[n];
        UPDATE benefits_budgetshard SET spent_fen = spent_fen + p_fens[n]
         WHERE budget_id = p_budgets[n] AND bucket = v_bucket AND shard = p_hash % p_shards[n]
           AND allotted_fen - spent_fen >= p_fens[n]
        RETURNING id INTO v_row;
        IF v_row IS NULL THEN
            v_row := benefits_borrow(p_budgets[n], v_bucket, p_hash % p_shards[n], p_fens[n], p_all);
        END IF;
        IF v_row <= 0 THEN
            outcome := CASE v_row WHEN 0 THEN 'budget' ELSE 'again' END;
            UPDATE benefits_budgetshard x SET spent_fen = x.spent_fen - back.fen
              FROM unnest(rows, fens) AS back(id, fen) WHERE x.id = back.id;
            rows := '{}';
            fens := '{}';
            RETURN;
        END IF;
        rows := rows || v_row;
        fens := fens || p_fens[n]::bigint;
    END LOOP;
END $$;

-- The books of one redemption: each party gives its share, the merchant is owed the list price. Gives the transaction.
CREATE FUNCTION benefits_book(
    p_redemption bigint, p_programme bigint, p_union bigint, p_accounts bigint[], p_fens integer[], p_merchant bigint,
    p_price integer, p_at timestamptz, p_now timestamptz
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_transaction bigint := nextval('benefits_ledgertransaction_id_seq');
BEGIN
    WITH written AS (
        INSERT INTO benefits_ledgertransaction (id, kind, programme_id, union_id, redemption_id, memo, happened_at, posted_at)
        VALUES (v_transaction, 'redeemed', p_programme, p_union, p_redemption, '', p_at, p_now)
    )
    INSERT INTO benefits_entry (transaction_id, account_id, fen)
    SELECT v_transaction, side.account, side.fen
      FROM (SELECT account, -fen AS fen FROM unnest(p_accounts, p_fens) AS given(account, fen)
            UNION ALL SELECT p_merchant, p_price) AS side;
    RETURN v_transaction;
END $$;

-- Quotas of a worker; the caller holds the worker's lock when it matters. Counted in a loop: it is a handful of rows, and
-- an aggregate costs more to set up than they do to read.
CREATE FUNCTION benefits_quotas(
    p_programme bigint, p_worker bigint, p_day date, p_period bigint, p_per_period integer, p_per_day integer,
    p_per_month integer
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v record;
    v_first date := p_day;
    v_last date := p_day;
    v_period integer := 0;
    v_day integer := 0;
    v_month integer := 0;
BEGIN
    IF p_per_month IS NOT NULL THEN
        v_first := p_day - extract(day FROM p_day)::integer + 1;
        v_last := (v_first + interval '1 month')::date - 1;
    END IF;
    FOR v IN
        SELECT day, period_id FROM benefits_redemption
         WHERE worker_id = p_worker AND programme_id = p_programme AND day BETWEEN v_first AND v_last AND state = 'redeemed'
    LOOP
        v_month := v_month + 1;
        IF v.day = p_day THEN
            v_day := v_day + 1;
            IF v.period_id IS NOT DISTINCT FROM p_period THEN
                v_period := v_period + 1;
            END IF;
        END IF;
    END LOOP;
    RETURN CASE
        WHEN v_period >= p_per_period THEN 'quota_period'
        WHEN v_day >= p_per_day THEN 'quota_day'
        WHEN v_month >= p_per_month THEN 'quota_month'
    END;
END $$;

-- The one way to redeem. `outcome`: done, repeated, refused (see `reason`), again (call once more with p_all, after
-- giving up all locks). p_dry: only say what would happen; takes no lock.
CREATE FUNCTION benefits_redeem(
    p_public_id uuid, p_device text, p_request uuid, p_offer bigint, p_worker bigint, p_cashier bigint, p_by bigint,
    p_channel text, p_at timestamptz, p_now timestamptz, p_offline boolean, p_distance integer, p_all boolean,
    p_dry boolean,
    OUT outcome text, OUT reason text, OUT redemption bigint, OUT public_id uuid, OUT state text, OUT list_price integer,
    OUT worker_share integer, OUT merchant_share integer, OUT day date, OUT redeemed timestamptz
) LANGUAGE plpgsql SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_rules record;
    v_card benefits_offercard;
    v_seen record;
    v_charge record;
    v_lock text;
    v_transaction bigint;
BEGIN
    v_rules := benefits_rules(p_offer, p_worker, p_channel, p_at);
    v_card := v_rules.card;
    reason := v_rules.refusal;
    IF p_offline AND reason IS NULL AND (p_at > p_now + interval '10 minutes' OR p_at < p_now - interval '7 days') THEN
        reason := 'wrong_time';
    END IF;
    IF reason IS NULL OR p_offline THEN
        IF NOT p_dry THEN
            -- The one lock of a worker in a programme (of the request where there is no worker).
            v_lock := pg_advisory_xact_lock(hashtextextended(
                CASE WHEN p_worker IS NULL THEN p_request::text ELSE v_card.programme_id || ' ' || p_worker END, 7101))::text;
        END IF;
    END IF;
    -- Only then the request: whoever repeats one is answered as before, whatever the rules say by now.
    SELECT r.id, r.public_id, r.offer_id, r.worker_id, r.state, r.reason, r.list_price_fen, r.worker_fen, r.merchant_fen,
           r.day, r.redeemed_at
      INTO v_seen FROM benefits_redemption r WHERE r.request_id = p_request AND r.device = p_device;
    IF FOUND THEN
        IF v_seen.offer_id <> p_offer OR v_seen.worker_id IS DISTINCT FROM p_worker THEN
            outcome := 'refused';
            reason := 'request_reused';
            RETURN;
        END IF;
        outcome := 'repeated';
        reason := v_seen.reason;
        redemption := v_seen.id;
        public_id := v_seen.public_id;
        state := v_seen.state;
        list_price := v_seen.list_price_fen;
        worker_share := v_seen.worker_fen;
        merchant_share := v_seen.merchant_fen;
        day := v_seen.day;
        redeemed := v_seen.redeemed_at;
        RETURN;
    END IF;
    IF reason = 'unknown_offer' OR (reason IS NOT NULL AND NOT p_offline) THEN
        outcome := 'refused';
        RETURN;
    END IF;
    IF reason IS NULL AND p_worker IS NOT NULL
       AND num_nonnulls(v_card.quota_period, v_card.quota_day, v_card.quota_month) > 0 THEN
        reason := benefits_quotas(v_card.programme_id, p_worker, v_rules.day, v_rules.period, v_card.quota_period,
                                  v_card.quota_day, v_card.quota_month);
    END IF;
    IF p_dry THEN
        IF reason IS NULL AND EXISTS (
            SELECT 1 FROM benefits_placeday k WHERE k.programme_id = v_card.programme_id AND k.place_id = v_card.place_id
               AND k.day = v_rules.day AND k.used >= v_card.place_quota_day
        ) THEN
            reason := 'place_quota';
        END IF;
        IF reason IS NULL AND EXISTS (
            SELECT 1 FROM unnest(v_card.budgets, v_card.budget_fens) AS share(budget, fen)
              JOIN benefits_budget b ON b.id = share.budget
             WHERE share.fen > coalesce((SELECT sum(x.allotted_fen - x.spent_fen) FROM benefits_budgetshard x
                    WHERE x.budget_id = b.id AND x.bucket = benefits_bucket(b.span, v_rules.day)), b.cap_fen)
        ) THEN
            reason := 'budget';
        END IF;
        outcome := CASE WHEN reason IS NULL THEN 'done' ELSE 'refused' END;
        RETURN;
    END IF;
    IF reason IS NULL AND v_card.place_quota_day IS NOT NULL THEN
        IF NOT benefits_take_place_day(v_card.programme_id, v_card.place_id, v_rules.day, v_card.place_quota_day) THEN
            reason := 'place_quota';
        END IF;
    END IF;
    IF reason IS NULL THEN
        v_charge := benefits_charge(v_card.budgets, v_card.spans, v_card.shards, v_card.budget_fens, v_rules.day,
                                    uuid_hash(p_request) & 2147483647, p_all);
        IF v_charge.outcome = 'again' THEN
            outcome := 'again';
            RETURN;
        ELSIF v_charge.outcome = 'budget' THEN
            reason := 'budget';
            IF v_card.place_quota_day IS NOT NULL THEN
                UPDATE benefits_placeday k SET used = k.used - 1
                 WHERE k.programme_id = v_card.programme_id AND k.place_id = v_card.place_id AND k.day = v_rules.day;
            END IF;
        END IF;
    END IF;
    IF reason IS NOT NULL AND NOT p_offline THEN
        outcome := 'refused';
        RETURN;
    END IF;
    outcome := 'done';
    public_id := p_public_id;
    state := CASE WHEN reason IS NULL THEN 'redeemed' ELSE 'exception' END;
    reason := coalesce(reason, '');
    list_price := v_card.list_price_fen;
    worker_share := v_card.worker_fen;
    merchant_share := v_card.merchant_fen;
    day := v_rules.day;
    redeemed := p_at;
    redemption := nextval('benefits_redemption_id_seq');
    INSERT INTO benefits_redemption (
        id, public_id, device, request_id, programme_id, offer_id, place_id, union_id, worker_id, cashier_id, by_id, channel,
        offline, state, reason, day, period_id, redeemed_at, recorded_at, list_price_fen, worker_fen, merchant_fen,
        funded_fen, distance_m, charged_shards, charged_fen, ended_reason
    ) VALUES (
        redemption, p_public_id, p_device, p_request, v_card.programme_id, p_offer, v_card.place_id, v_card.owner_id, p_worker,
        p_cashier, p_by, p_channel, p_offline, state, reason, day, v_rules.period, p_at, p_now, list_price, worker_share,
        merchant_share, list_price - worker_share - merchant_share, p_distance,
        CASE WHEN state = 'redeemed' THEN v_charge.rows ELSE '{}' END,
        CASE WHEN state = 'redeemed' THEN v_charge.fens ELSE '{}' END, ''
    );
    IF state = 'redeemed' THEN
        v_transaction := benefits_book(redemption, v_card.programme_id, v_card.owner_id, v_card.accounts, v_card.fens,
                                       v_card.merchant_account_id, list_price, p_at, p_now);
    END IF;
END $$;

-- Charge and book a redemption that staff accept although it breaks a rule. Its row is locked by the caller; its amounts
-- become those of the split that holds now. Gives done, or budget.
CREATE OR REPLACE FUNCTION benefits_accept(p_redemption bigint, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_kept benefits_redemption;
    v_card benefits_offercard;
    v_charge record;
    v_lock text;
    v_transaction bigint;
BEGIN
    SELECT * INTO v_kept FROM benefits_redemption WHERE id = p_redemption;
    SELECT * INTO v_card FROM benefits_offercard WHERE offer_id = v_kept.offer_id;
    IF (v_card.list_price_fen, v_card.worker_fen, v_card.merchant_fen)
       <> (v_kept.list_price_fen, v_kept.worker_fen, v_kept.merchant_fen) THEN
        -- The split has changed since: what is booked is what holds now, and the row follows.
        UPDATE benefits_redemption SET list_price_fen = v_card.list_price_fen, worker_fen = v_card.worker_fen,
               merchant_fen = v_card.merchant_fen,
               funded_fen = v_card.list_price_fen - v_card.worker_fen - v_card.merchant_fen
         WHERE id = p_redemption;
    END IF;
    IF v_kept.worker_id IS NOT NULL THEN
        v_lock := pg_advisory_xact_lock(hashtextextended(v_kept.programme_id || ' ' || v_kept.worker_id, 7101))::text;
    END IF;
    IF v_card.place_quota_day IS NOT NULL THEN
        PERFORM benefits_take_place_day(v_kept.programme_id, v_kept.place_id, v_kept.day, 2147483647);
    END IF;
    v_charge := benefits_charge(v_card.budgets, v_card.spans, v_card.shards, v_card.budget_fens, v_kept.day, 0, true);
    IF v_charge.outcome <> 'done' THEN
        RETURN v_charge.outcome;
    END IF;
    UPDATE benefits_redemption SET charged_shards = v_charge.rows, charged_fen = v_charge.fens WHERE id = p_redemption;
    v_transaction := benefits_book(p_redemption, v_kept.programme_id, v_kept.union_id, v_card.accounts, v_card.fens,
                                   v_card.merchant_account_id, v_card.list_price_fen, v_kept.redeemed_at, p_now);
    RETURN 'done';
END $$;

-- Every new transaction is looked at when it is committed: it has entries, and they balance.
CREATE OR REPLACE FUNCTION benefits_transaction_balances() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
    v_sum numeric;
    v_lines integer;
BEGIN
    SELECT sum(fen), count(*) INTO v_sum, v_lines FROM benefits_entry WHERE transaction_id = NEW.id;
    IF v_lines < 2 OR v_sum <> 0 THEN
        RAISE EXCEPTION 'ledger transaction % does not balance: % entries, sum % fen', NEW.id, v_lines, v_sum
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_balance';
    END IF;
    RETURN NULL;
END $$;

-- Entries come in one INSERT for each transaction, so that none can be added to what is booked already.
CREATE OR REPLACE FUNCTION benefits_entries_balance() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
    v_wrong bigint;
BEGIN
    SELECT transaction_id INTO v_wrong FROM written GROUP BY transaction_id
    HAVING sum(fen) <> 0 OR NOT EXISTS (SELECT 1 FROM benefits_ledgertransaction t WHERE t.id = transaction_id)
        OR count(*) <> (SELECT count(*) FROM benefits_entry e WHERE e.transaction_id = written.transaction_id)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entries of ledger transaction % do not balance, or were added later', v_wrong
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_balance';
    END IF;
    RETURN NULL;
END $$;

DROP FUNCTION benefits_check_balance(bigint);
