-- Spending from budgets that are kept in shares. See docs/decisions: budget escrow and the redeem function.

CREATE FUNCTION benefits_bucket(p_span text, p_day date) RETURNS date LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_span WHEN 'day' THEN p_day WHEN 'month' THEN p_day - extract(day FROM p_day)::integer + 1
                       ELSE DATE '2000-01-01' END
$$;

-- Lay out the shares of a bucket; harmless when they are there.
CREATE FUNCTION benefits_open_bucket(p_budget bigint, p_bucket date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_cap bigint;
    v_shards integer;
BEGIN
    -- A change of the cap waits for us, or we for it.
    SELECT cap_fen, shards INTO v_cap, v_shards FROM benefits_budget WHERE id = p_budget FOR SHARE;
    INSERT INTO benefits_budgetshard (budget_id, bucket, shard, allotted_fen, spent_fen)
    SELECT p_budget, p_bucket, n, v_cap / v_shards + CASE WHEN n = 0 THEN v_cap % v_shards ELSE 0 END, 0
      FROM generate_series(0, v_shards - 1) AS n ORDER BY n
    ON CONFLICT (budget_id, bucket, shard) DO NOTHING;
END $$;

-- Spend p_fen although the own share does not hold it: take from shares that nobody is using just now, and spread what
-- is left over them. Never waits while it holds a lock, so it cannot dead-lock. Gives the row of the share that was
-- charged; 0: the budget does not hold so much; -1: it may, but others hold the shares: ask again with all of them locked.
CREATE FUNCTION benefits_borrow(p_budget bigint, p_bucket date, p_shard integer, p_fen bigint, p_all boolean)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_free numeric;
    v_rows bigint[];
    v_own bigint;
    v_pool bigint;
    v_each bigint;
    v_left bigint;
BEGIN
    SELECT sum(allotted_fen - spent_fen) INTO v_free
      FROM benefits_budgetshard WHERE budget_id = p_budget AND bucket = p_bucket;
    IF v_free IS NULL THEN
        PERFORM benefits_open_bucket(p_budget, p_bucket);
        SELECT sum(allotted_fen - spent_fen) INTO v_free
          FROM benefits_budgetshard WHERE budget_id = p_budget AND bucket = p_bucket;
    END IF;
    -- One snapshot of what is committed: a refusal needs no lock.
    IF v_free < p_fen THEN
        RETURN 0;
    END IF;
    SELECT array_agg(id ORDER BY shard), sum(free), coalesce(min(id) FILTER (WHERE shard = p_shard), min(id))
      INTO v_rows, v_pool, v_own
      FROM (SELECT id, shard, allotted_fen - spent_fen AS free FROM benefits_budgetshard
             WHERE budget_id = p_budget AND bucket = p_bucket ORDER BY shard FOR UPDATE SKIP LOCKED) AS unused;
    IF v_pool IS NULL OR v_pool < p_fen THEN
        RETURN CASE WHEN p_all THEN 0 ELSE -1 END;
    END IF;
    v_left := v_pool - p_fen;
    v_each := v_left / cardinality(v_rows);
    IF v_each < p_fen THEN
        v_each := 0;  -- crumbs in every share would send everyone here: keep them together
    END IF;
    v_left := v_left - v_each * cardinality(v_rows);
    UPDATE benefits_budgetshard
       SET allotted_fen = spent_fen + v_each + CASE WHEN id = v_own THEN v_left + p_fen ELSE 0 END,
           spent_fen = spent_fen + CASE WHEN id = v_own THEN p_fen ELSE 0 END
     WHERE id = ANY (v_rows);
    RETURN v_own;
END $$;

-- Charge every budget that an offer's shares touch. `outcome`: done, budget (one of them does not hold so much; nothing
-- is charged), again (see benefits_borrow; nothing is charged).
CREATE FUNCTION benefits_charge(
    p_offer bigint, p_programme bigint, p_day date, p_hash integer, p_all boolean,
    OUT outcome text, OUT shards bigint[], OUT fens bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    v_need record;
    v_bucket date;
    v_row bigint;
BEGIN
    shards := '{}';
    fens := '{}';
    outcome := 'done';
    IF p_all THEN
        PERFORM benefits_borrow(b.id, benefits_bucket(b.span, p_day), 0, 0, false)  -- lays out what is missing
           FROM benefits_offershare s JOIN benefits_budget b ON b.account_id = s.account_id
          WHERE s.offer_id = p_offer AND s.fen > 0 AND b.is_active
            AND (b.programme_id IS NULL OR b.programme_id = p_programme)
            AND NOT EXISTS (SELECT 1 FROM benefits_budgetshard x
                             WHERE x.budget_id = b.id AND x.bucket = benefits_bucket(b.span, p_day));
        PERFORM 1 FROM benefits_budgetshard x
          JOIN benefits_budget b ON b.id = x.budget_id AND x.bucket = benefits_bucket(b.span, p_day)
          JOIN benefits_offershare s ON s.account_id = b.account_id
         WHERE s.offer_id = p_offer AND s.fen > 0 AND b.is_active
           AND (b.programme_id IS NULL OR b.programme_id = p_programme)
         ORDER BY x.budget_id, x.bucket, x.shard FOR UPDATE OF x;
    END IF;
    FOR v_need IN
        SELECT b.id, b.span, p_hash % b.shards AS shard, s.fen
          FROM benefits_offershare s JOIN benefits_budget b ON b.account_id = s.account_id
         WHERE s.offer_id = p_offer AND s.fen > 0 AND b.is_active
           AND (b.programme_id IS NULL OR b.programme_id = p_programme)
         ORDER BY b.id
    LOOP
        v_bucket := CASE v_need.span WHEN 'day' THEN p_day WHEN 'total' THEN DATE '2000-01-01'
                                     ELSE p_day - extract(day FROM p_day)::integer + 1 END;
        UPDATE benefits_budgetshard SET spent_fen = spent_fen + v_need.fen
         WHERE budget_id = v_need.id AND bucket = v_bucket AND shard = v_need.shard
           AND allotted_fen - spent_fen >= v_need.fen
        RETURNING id INTO v_row;
        IF NOT FOUND THEN
            v_row := benefits_borrow(v_need.id, v_bucket, v_need.shard, v_need.fen, p_all);
        END IF;
        IF v_row <= 0 THEN
            outcome := CASE v_row WHEN 0 THEN 'budget' ELSE 'again' END;
            UPDATE benefits_budgetshard x SET spent_fen = x.spent_fen - back.fen
              FROM unnest(shards, fens) AS back(id, fen) WHERE x.id = back.id;
            shards := '{}';
            fens := '{}';
            RETURN;
        END IF;
        shards := shards || v_row;
        fens := fens || v_need.fen::bigint;
    END LOOP;
END $$;
