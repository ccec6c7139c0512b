"""params.yaml as it is first written: every key, its one line of documentation above it, every string in quotes."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hitl.params import MAY_CHANGE_MID_ROUND, Params

_HEAD = f"""\
# Everything that changes a result, in the order of the steps. Text is in quotes, so that ids such as "1E5" and
# classes such as "NA" stay what they are. While a round is open, change only {", ".join(sorted(MAY_CHANGE_MID_ROUND))}.
"""


def render(params: Params) -> str:
    """The text of a params.yaml that `hitl.params.parse` reads back as `params`."""
    return "\n".join([_HEAD, *_section(params, "")]).rstrip("\n") + "\n"


def _section(section: BaseModel, indent: str) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield f"{indent}# {field.description or type(value).__doc__}"
            yield f"{indent}{name}:"
            yield from _section(value, f"{indent}  ")
            if not indent:
                yield ""
        else:
            yield f"{indent}# {field.description}{_choices(field)}"
            yield from _entry(name, value, indent)


def _entry(name: str, value: object, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield f"{indent}{name}:"
        yield from (f"{indent}  {_quoted(str(key))}: {_scalar(one)}" for key, one in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        yield f"{indent}{name}:"
        yield from (f"{indent}  - {_scalar(one)}" for one in value)
    else:
        yield f"{indent}{name}: {_scalar(value)}"


def _choices(field: FieldInfo) -> str:
    if get_origin(field.annotation) is not Literal or len(get_args(field.annotation)) < 2:
        return ""
    return f" (one of {', '.join(get_args(field.annotation))})"


def _scalar(value: object) -> str:
    """One YAML value on one line."""
    if isinstance(value, str | Decimal):
        return _quoted(str(value))
    if isinstance(value, float):
        # YAML 1.1 takes 1e-05 for text: a float needs its dot.
        return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))
    return json.dumps([] if value == () else value)


def _quoted(text: str) -> str:
    """`text` as a YAML double-quoted string: JSON's, with what YAML's reader refuses escaped as well."""
    return "".join(char if _plain(char) else _escaped(char) for char in json.dumps(text, ensure_ascii=False))


def _plain(char: str) -> bool:
    return char == " " or unicodedata.category(char)[0] not in "CZ"


def _escaped(char: str) -> str:
    point = ord(char)
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"
