-- Cards of offers are derived: triggers write them anew, in the transaction that changes what they are made from, and
-- `yizhan benefits verify-books` compares them with it.

-- Cards as they should be. A function, not a view: columns that a view reads could not be changed by later migrations.
CREATE FUNCTION benefits_offer_facts(p_offers bigint[]) RETURNS SETOF benefits_offercard LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT o.id, p.id, p.union_id, o.place_id, o.merchant_account_id, o.list_price_fen, o.worker_fen, o.merchant_fen,
           o.is_active, p.state = 'open', p.starts_on, p.ends_on, p.weekdays::smallint[], p.occupations::text[],
           p.companies::text[], p.memberships::text[], p.allotment = 'lottery', p.takes_paper, p.quota_period::integer,
           p.quota_day::integer, p.quota_month::integer, p.place_quota_day::integer,
           ARRAY(SELECT t.union_id FROM benefits_programme_unions t WHERE t.programme_id = p.id ORDER BY t.union_id),
           ARRAY(SELECT t.id FROM benefits_period t WHERE t.programme_id = p.id ORDER BY t.id),
           ARRAY(SELECT t.starts_minute::integer FROM benefits_period t WHERE t.programme_id = p.id ORDER BY t.id),
           ARRAY(SELECT t.ends_minute::integer FROM benefits_period t WHERE t.programme_id = p.id ORDER BY t.id),
           split.accounts, split.fens, money.budgets, money.spans, money.shards, money.fens
      FROM benefits_benefitoffer o
      JOIN benefits_programme p ON p.id = o.programme_id
      CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(s.account_id ORDER BY s.id), '{}') AS accounts,
               coalesce(array_agg(s.fen ORDER BY s.id), '{}') AS fens
          FROM benefits_offershare s WHERE s.offer_id = o.id AND s.fen > 0
      ) AS split
      CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(b.id ORDER BY b.id), '{}') AS budgets,
               coalesce(array_agg(b.span::text ORDER BY b.id), '{}') AS spans,
               coalesce(array_agg(b.shards ORDER BY b.id), '{}') AS shards,
               coalesce(array_agg(s.fen ORDER BY b.id), '{}') AS fens
          FROM benefits_offershare s JOIN benefits_budget b ON b.account_id = s.account_id
         WHERE s.offer_id = o.id AND s.fen > 0 AND b.is_active AND (b.programme_id IS NULL OR b.programme_id = p.id)
      ) AS money
     WHERE o.id = ANY (p_offers);
END $$;

-- Whoever changes what cards are made from waits here before the first row is locked: two changes at once, each unaware
-- of the other, would each leave a card without the other's part. Such changes are made at desks, a few a day.
CREATE FUNCTION benefits_cards_wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7102, 0);
    RETURN NULL;
END $$;

-- Write the cards anew that depend on the rows in `changed`.
CREATE FUNCTION benefits_cards_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_offers bigint[];
BEGIN
    IF TG_TABLE_NAME = 'benefits_benefitoffer' THEN
        v_offers := ARRAY(SELECT id FROM changed);
    ELSIF TG_TABLE_NAME = 'benefits_offershare' THEN
        v_offers := ARRAY(SELECT DISTINCT offer_id FROM changed);
    ELSIF TG_TABLE_NAME = 'benefits_programme' THEN
        v_offers := ARRAY(SELECT o.id FROM benefits_benefitoffer o JOIN changed c ON c.id = o.programme_id);
    ELSIF TG_TABLE_NAME = 'benefits_budget' THEN
        v_offers := ARRAY(
            SELECT DISTINCT o.id FROM benefits_offershare s JOIN benefits_benefitoffer o ON o.id = s.offer_id
              JOIN changed c ON c.account_id = s.account_id AND (c.programme_id IS NULL OR c.programme_id = o.programme_id)
        );
    ELSE
        v_offers := ARRAY(SELECT o.id FROM benefits_benefitoffer o WHERE o.programme_id IN (SELECT programme_id FROM changed));
    END IF;
    DELETE FROM benefits_offercard WHERE offer_id = ANY (v_offers);
    INSERT INTO benefits_offercard SELECT * FROM benefits_offer_facts(v_offers);
    RETURN NULL;
END $$;

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['benefits_benefitoffer', 'benefits_offershare', 'benefits_programme',
                                   'benefits_period', 'benefits_programme_unions', 'benefits_budget'] LOOP
        EXECUTE format('CREATE TRIGGER cards_wait BEFORE INSERT OR UPDATE OR DELETE ON %I
                            FOR EACH STATEMENT EXECUTE FUNCTION benefits_cards_wait()', v_table);
        EXECUTE format('CREATE TRIGGER cards_follow_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS changed
                            FOR EACH STATEMENT EXECUTE FUNCTION benefits_cards_follow()', v_table);
        EXECUTE format('CREATE TRIGGER cards_follow_update AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed
                            FOR EACH STATEMENT EXECUTE FUNCTION benefits_cards_follow()', v_table);
        EXECUTE format('CREATE TRIGGER cards_follow_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS changed
                            FOR EACH STATEMENT EXECUTE FUNCTION benefits_cards_follow()', v_table);
    END LOOP;
END $$;

INSERT INTO benefits_offercard SELECT * FROM benefits_offer_facts(ARRAY(SELECT id FROM benefits_benefitoffer));
