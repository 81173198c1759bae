"""Statements, as PostgreSQL takes them."""

from runstead.store.postgres.statements import locked, statement, unlocked


def test_values_are_numbered_in_the_order_they_are_named() -> None:
    assert statement("SELECT a FROM t WHERE b = :b AND (c, d) > (:c, :b)") == (
        "SELECT a FROM t WHERE b = $1 AND (c, d) > ($2, $1)",
        ("b", "c"),
    )


def test_a_cast_is_no_value() -> None:
    assert statement("SELECT :a::xid, b::text") == ("SELECT $1::xid, b::text", ("a",))


def test_a_statement_can_hold_what_it_finds_or_not() -> None:
    assert locked("SELECT a FROM t;") == "SELECT a FROM t FOR UPDATE"
    assert unlocked({"t": {"get": "SELECT a FROM t\n   FOR UPDATE;"}}) == {"t": {"get": "SELECT a FROM t;"}}
