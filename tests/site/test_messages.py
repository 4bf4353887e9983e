"""Two rooms never put one phrase into different Chinese: only one of the two would show, everywhere."""

from babel.messages.catalog import Catalog

from yizhan.site.messages import LOCALE, clashes, read_catalogue, rooms


def catalogue(*entries: tuple[str, str, str | None]) -> Catalog:
    """A room's Chinese: phrase, words, context."""
    made = Catalog(locale=LOCALE)
    for phrase, chinese, context in entries:
        made.add(phrase, chinese, context=context)
    return made


def test_a_clash_names_the_phrase_the_rooms_and_both_translations() -> None:
    (line,) = clashes(
        {
            "benefits": catalogue(("Offers", "优惠", None), ("Union", "工会", None)),
            "places": catalogue(("Offers", "服务", None), ("Union", "工会", None)),
        }
    )
    for part in ("'Offers'", "benefits “优惠”", "places “服务”"):
        assert part in line


def test_a_context_tells_two_meanings_apart() -> None:
    assert not clashes(
        {"benefits": catalogue(("Offers", "优惠", "programme")), "places": catalogue(("Offers", "服务", None))}
    )
    (line,) = clashes({"web": catalogue(("Show", "查询", "list")), "cases": catalogue(("Show", "显示", "list"))})
    assert "context 'list'" in line


def test_a_phrase_that_waits_for_its_chinese_is_no_clash() -> None:
    assert not clashes({"benefits": catalogue(("Offers", "", None)), "places": catalogue(("Offers", "服务", None))})


def test_no_two_rooms_clash() -> None:
    assert clashes({room.name: read_catalogue(room) for room in rooms()}) == []
