-- What the deferred triggers ask at commit.

CREATE FUNCTION benefits_check_balance(p_transaction bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_sum numeric;
    v_lines integer;
BEGIN
    SELECT sum(fen), count(*) INTO v_sum, v_lines FROM benefits_entry WHERE transaction_id = p_transaction;
    IF v_lines < 2 OR v_sum <> 0 THEN
        RAISE EXCEPTION 'ledger transaction % does not balance: % entries, sum % fen', p_transaction, v_lines, v_sum
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_balance';
    END IF;
END $$;

CREATE FUNCTION benefits_check_split(p_offer bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_offer benefits_benefitoffer;
    v_all bigint;
    v_worker bigint;
    v_merchant bigint;
    v_remainder integer;
BEGIN
    SELECT * INTO v_offer FROM benefits_benefitoffer WHERE id = p_offer;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT coalesce(sum(fen), 0), coalesce(sum(fen) FILTER (WHERE party = 'worker'), 0),
           coalesce(sum(fen) FILTER (WHERE party = 'merchant'), 0), count(*) FILTER (WHERE takes_remainder)
      INTO v_all, v_worker, v_merchant, v_remainder
      FROM benefits_offershare WHERE offer_id = p_offer;
    IF v_all <> v_offer.list_price_fen OR v_worker <> v_offer.worker_fen OR v_merchant <> v_offer.merchant_fen
       OR v_remainder <> 1 THEN
        RAISE EXCEPTION 'shares of offer % sum up to % fen of % (worker % of %, merchant % of %), % take the remainder',
            p_offer, v_all, v_offer.list_price_fen, v_worker, v_offer.worker_fen, v_merchant, v_offer.merchant_fen,
            v_remainder USING ERRCODE = 'check_violation', CONSTRAINT = 'shares_sum_up_to_the_price';
    END IF;
END $$;

CREATE FUNCTION benefits_check_cap(p_budget bigint, p_bucket date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_cap bigint;
    v_allotted numeric;
BEGIN
    SELECT cap_fen INTO v_cap FROM benefits_budget WHERE id = p_budget;
    SELECT sum(allotted_fen) INTO v_allotted FROM benefits_budgetshard WHERE budget_id = p_budget AND bucket = p_bucket;
    IF v_allotted > v_cap THEN
        RAISE EXCEPTION 'shares of budget % in % sum up to % fen, its cap is %', p_budget, p_bucket, v_allotted, v_cap
            USING ERRCODE = 'check_violation', CONSTRAINT = 'shards_stay_below_the_cap';
    END IF;
END $$;
