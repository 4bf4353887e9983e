-- What the triggers ask. Plans are kept for as long as a connection lives, also those made while the tables were still
-- empty: `enable_seqscan = off` keeps a new installation from reading whole tables until they are analysed.

CREATE FUNCTION benefits_check_balance(p_transaction bigint) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $$
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

-- Every new transaction is looked at when it is committed: it has entries, and they balance. Entries come in one INSERT
-- for each transaction; that INSERT is looked at as well, so that none can be added to what is booked already. These two
-- triggers are plain SQL, since they run with every redemption.
CREATE FUNCTION benefits_transaction_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM benefits_check_balance(NEW.id);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER transaction_balances AFTER INSERT ON benefits_ledgertransaction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION benefits_transaction_balances();

CREATE FUNCTION benefits_entries_balance() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
    v record;
BEGIN
    FOR v IN SELECT transaction_id AS id, sum(fen) AS fen, count(*) AS lines FROM written GROUP BY transaction_id LOOP
        IF v.fen <> 0 OR NOT EXISTS (SELECT 1 FROM benefits_ledgertransaction WHERE id = v.id)
           OR v.lines <> (SELECT count(*) FROM benefits_entry WHERE transaction_id = v.id) THEN
            RAISE EXCEPTION 'entries of ledger transaction % do not balance, or were added later', v.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entries_balance';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER entries_balance AFTER INSERT ON benefits_entry REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION benefits_entries_balance();

-- What a foreign key of redemptions would say, without locking the worker's row with every meal.
CREATE FUNCTION benefits_worker_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM benefits_redemption WHERE worker_id = OLD.id) THEN
        RAISE EXCEPTION 'worker % has redemptions', OLD.id USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER worker_with_redemptions_stays BEFORE DELETE ON unions_worker
    FOR EACH ROW EXECUTE FUNCTION benefits_worker_stays();
