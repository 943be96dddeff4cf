"""JSON Schemas (draft 2020-12) of the objects that commands print; ``--schema`` shows them."""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["SCHEMAS"]

Schema = Mapping[str, Any]
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

TEXT: Final[Schema] = {"type": "string"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
NUMBER: Final[Schema] = {"type": "number"}
MAYBE_NUMBER: Final[Schema] = {"type": ["number", "null"]}
DECIMAL: Final[Schema] = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
DIGEST: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
BOOK_STATE: Final = ("SYNCING", "LIVE", "STALE", "CROSSED")


def described(schema: Schema, text: str) -> Schema:
    """Add what a value means."""
    return {**schema, "description": text}


def record(fields: Mapping[str, Schema], *optional: str) -> Schema:
    """Return an object with these fields, all required but the optional ones."""
    return {
        "type": "object",
        "properties": dict(fields),
        "required": [name for name in fields if name not in optional],
    }


def mapping(values: Schema, text: str) -> Schema:
    """Return an object of any names with values of one kind."""
    return {"type": "object", "additionalProperties": values, "description": text}


def listing(items: Schema) -> Schema:
    """Return a list of one kind."""
    return {"type": "array", "items": items}


def either(schema: Schema) -> Schema:
    """Allow null instead."""
    return {"anyOf": [schema, {"type": "null"}]}


def pair(item: Schema, text: str) -> Schema:
    """Return a list of exactly two."""
    return {**listing(item), "minItems": 2, "maxItems": 2, "description": text}


def document(title: str, fields: Mapping[str, Schema]) -> Schema:
    """Return the schema of a command's whole object, version 1."""
    whole = {"schema": described({"const": 1}, "version of this form"), **fields}
    return {"$schema": DIALECT, "title": title, **record(whole)}


LEVEL: Final = either(pair(DECIMAL, "price and size; null where there is none"))

REPLAY: Final = document(
    "bot4 replay --json",
    {
        "messages": described(COUNT, "what the venue pushed"),
        "responses": described(COUNT, "replies to requests, such as snapshots"),
        "quarantined": described(COUNT, "messages of no known meaning or form, applied nowhere"),
        "refused": described(COUNT, "lines of the files that held no message"),
        "events": COUNT,
        "kinds": mapping(COUNT, "events by kind"),
        "instruments": mapping(
            record(
                {
                    "state": {"enum": list(BOOK_STATE)},
                    "gaps": COUNT,
                    "resyncs": COUNT,
                    "crossed": COUNT,
                    "best_bid": LEVEL,
                    "best_ask": LEVEL,
                    "last_quote_bid": LEVEL,
                    "last_quote_ask": LEVEL,
                    "trades": COUNT,
                    "levels": pair(COUNT, "bids and asks"),
                    "book_digest": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                    "exponents_from_data": described(
                        {"type": "boolean"}, "decimals were read off the data, for lack of metadata"
                    ),
                }
            ),
            "by the venue's symbol",
        ),
        "warnings": listing(TEXT),
        "digest": described(DIGEST, "the same for the same events and books"),
        "wall_s": NUMBER,
        "messages_per_s": NUMBER,
    },
)

POSITION: Final = record(
    {
        "size": DECIMAL,
        "average_price": either(DECIMAL),
        "realised": DECIMAL,
        "unrealised": DECIMAL,
        "fees": DECIMAL,
        "state": described({"enum": [state.lower() for state in BOOK_STATE]}, "of its book"),
        "fills": COUNT,
    }
)

TRIP: Final = record(
    {
        "breaker": TEXT,
        "effect": {"enum": ["block_open", "block_all", "cancel_all", "flatten"]},
        "scope": {"enum": ["instrument", "venue", "session"]},
        "symbol": TEXT,
        "time": described({"type": "integer"}, "UTC nanoseconds"),
        "reason": TEXT,
        "values": mapping(MAYBE_NUMBER, "the numbers behind the reason"),
    }
)

DURATIONS: Final = record(
    {
        "count": COUNT,
        "p50_us": MAYBE_NUMBER,
        "p99_us": MAYBE_NUMBER,
        "max_us": MAYBE_NUMBER,
        "total_ms": NUMBER,
        "bins": described(listing(listing(NUMBER)), "upper end in µs, how many; no empty ones"),
    }
)

LINKED: Final = record(
    {
        "id": COUNT,
        "name": described(TEXT, "as the configuration calls it"),
        "symbol": TEXT,
        "kind": {"enum": ["oco", "bracket", "trailing_stop", "stop", "iceberg", "limit"]},
        "form": described({"enum": ["native", "emulated"]}, "whether the venue looked after it"),
        "status": {"enum": ["working", "stopped", "done", "unentered", "cancelled"]},
        "children": listing(
            record(
                {
                    "order": described(COUNT, "number of the order; 0 where the gate kept it back"),
                    "role": {"enum": ["entry", "target", "stop"]},
                    "status": TEXT,
                    "filled": DECIMAL,
                }
            )
        ),
    }
)

RUN: Final = document(
    "bot4 run --json",
    {
        "mode": {"enum": ["backtest", "paper", "live"]},
        "digest": described(DIGEST, "the same for the same input"),
        "messages": COUNT,
        "events": COUNT,
        "quarantined": COUNT,
        "decisions": described(COUNT, "how often the strategy was asked"),
        "refusals": described(COUNT, "orders that the gate kept back"),
        "strikes": described(COUNT, "errors of parts"),
        "orders": mapping(COUNT, "orders by final status"),
        "fills": COUNT,
        "positions": mapping(POSITION, "by the venue's symbol"),
        "pnl": record(
            {
                "asset": TEXT,
                "realised": DECIMAL,
                "unrealised": DECIMAL,
                "fees": described(DECIMAL, "positive when paid"),
                "funding": DECIMAL,
                "net": DECIMAL,
                "equity": DECIMAL,
                "cost": described({"enum": ["average", "fifo"]}, "what closes are set against"),
            }
        ),
        "breakers": described(listing(TRIP), "every trip, oldest first"),
        "linked": described(listing(LINKED), "every linked order, by its number"),
        "audit": record(
            {
                "path": TEXT,
                "records": COUNT,
                "head": DIGEST,
                "root": described(DIGEST, "of the Merkle tree over all records"),
                "unpublished": described(COUNT, "checkpoints that a place did not take"),
            }
        ),
        "report": described(TEXT, "path of the page; empty if it could not be written"),
        "timing": record(
            {
                "wall_s": NUMBER,
                "messages_per_s": NUMBER,
                "decision_p50_us": MAYBE_NUMBER,
                "decision_p99_us": MAYBE_NUMBER,
                "driver": TEXT,
                "audit_commit": described(DURATIONS, "how long commits of the audit log took"),
                "loop_lag": described(DURATIONS, "from a batch to the next look around"),
                "gc_pause": described(DURATIONS, "how long the garbage collector stopped it"),
            }
        ),
        "warnings": listing(TEXT),
        "stopped": described(TEXT, "why it ended before its market did; empty if it did not"),
    },
)

SCHEMAS: Final[Mapping[str, Schema]] = {"replay": REPLAY, "run": RUN}
