"""The one converter: from parsed answers, in the service's names, to the model classes.

A member that does not fit the service model is left out with a warning, so that a wait does not
fail over a member that nobody needs. The members that an answer is about have to fit.
"""

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import GenericAlias
from typing import TypeVar, cast

from attrs import AttrsInstance, field, fields, frozen, has
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from dcvsessions._secrets.tracebacks import remove_secrets
from dcvsessions.dcv.url import DcvUrl
from dcvsessions.errors import InvalidResponseError

__all__ = ["Answer"]

_log = logging.getLogger(__name__)

_MISFITS = (TypeError, ValueError, AttributeError, OverflowError)

_Model = TypeVar("_Model", bound=AttrsInstance)
_Structured = TypeVar("_Structured")
_Hook = Callable[[object, object], object]


@frozen
class Answer:
    """The parsed answer of one call, to be made into model objects.

    It keeps the raw members out of its `repr`, and its methods keep them out of their local
    variables: a URL among them is plain text still, and tracebacks can show locals.

    Attributes:
        operation: The API operation that was called.
        members: The members, in the service's names.
    """

    operation: str
    members: Mapping[str, object] = field(repr=False)

    def whole(self, model: type[_Model], *, needed: str) -> _Model:
        """Return the answer as one object.

        Args:
            model: The attrs class to make.
            needed: The attribute that the answer is about.

        Raises:
            InvalidResponseError: That attribute is missing or does not fit.
        """
        return self._structured(None, model, model.__name__, needed)

    def one(self, name: str, model: type[_Model], *, needed: str | None = None) -> _Model:
        """Return the member that the answer is about.

        Args:
            name: The member, in the service's name.
            model: The attrs class to make.
            needed: The attribute without which it tells nothing, if there is one.

        Raises:
            InvalidResponseError: The member or that attribute is missing or does not fit.
        """
        return self._structured(name, model, name, needed)

    def all(self, name: str, model: type[_Model]) -> tuple[_Model, ...]:
        """Return the elements of the list that the answer is about.

        Args:
            name: The member that holds the list, in the service's name.
            model: The attrs class of each element.

        Raises:
            InvalidResponseError: The list is missing, or an element is not an object.
        """
        return self._structured(name, _tuple_of(model), name)

    def text(self, name: str) -> str | None:
        """Return a member that is a string, or None if it is missing or empty.

        Args:
            name: The member, in the service's name.
        """
        member = self.members.get(name)
        return member if isinstance(member, str) and member else None

    def _structured(
        self, name: str | None, kind: type[_Structured], what: str, needed: str | None = None
    ) -> _Structured:
        outer = sys.exception()
        try:
            structured = _converter.structure(
                self.members if name is None else self.members[name], kind
            )
        except (KeyError, *_MISFITS):
            misfit = self._misfit(what)
        except BaseException as error:
            # An interruption, with the members in the frames behind it.
            remove_secrets(error, keep=outer)
            raise
        else:
            if needed is None or getattr(structured, needed) is not None:
                return structured
            misfit = self._misfit(_wire_name(needed))
        # Raised out here, because the converter's own error quotes what did not fit.
        raise misfit

    def _misfit(self, what: str) -> InvalidResponseError:
        # botocore takes a body that it cannot read for an empty answer.
        return InvalidResponseError(
            f"{self.operation}: the answer does not match the service model: {what} is missing or "
            "has the wrong type. A body that was cut off, or one from a proxy, looks like this.",
            operation=self.operation,
        )


def _tuple_of(model: type[_Model]) -> type[tuple[_Model, ...]]:
    return cast("type[tuple[_Model, ...]]", GenericAlias(tuple, (model, ...)))


def _wire_name(name: str) -> str:
    """Return the service's name of an attribute: `created_at` is `createdAt` on the wire."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _structure_class(model: type[AttrsInstance], converter: Converter) -> _Hook:
    renamed = {
        attribute.name: override(rename=_wire_name(attribute.name)) for attribute in fields(model)
    }
    structured = make_dict_structure_fn(model, converter, **renamed)  # type: ignore[arg-type] # the options before the fields are keywords too

    def structure(value: object, _: object) -> AttrsInstance:
        members = _mapping(value)
        try:
            return structured(members, model)
        except _MISFITS:
            return structured(_fitting(members, model, converter), model)

    return structure


def _fitting(
    members: Mapping[str, object], model: type[AttrsInstance], converter: Converter
) -> Mapping[str, object]:
    """Return the members that fit; the others are left out with a warning."""
    fitting: dict[str, object] = {}
    for attribute in fields(model):
        name = _wire_name(attribute.name)
        if name not in members:
            continue
        try:
            converter.structure(members[name], attribute.type)
        except _MISFITS:
            # The value is not shown: it could be a URL.
            _log.warning("%s.%s does not match the service model: left out.", model.__name__, name)
        else:
            fitting[name] = members[name]
    return fitting


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError
    return cast("dict[str, object]", value)


def _is_optional(kind: type) -> Callable[[object], bool]:
    return lambda wanted: wanted == (kind | None)


def _exactly(kind: type) -> _Hook:
    """Take a value of this type alone; cattrs' own hooks would turn `"no"` into True."""

    def take(value: object, _: object) -> object:
        if type(value) is not kind:
            raise TypeError
        return value

    return take


def _texts_by_name(value: object, _: object) -> dict[str, str]:
    texts = _mapping(value)
    return {name: _text(text) for name, text in texts.items()}


def _texts(value: object, _: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(map(_text, cast("list[object]", value)))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _utc(value: object, _: object) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _dcv_url(value: object, _: object) -> DcvUrl:
    return DcvUrl(_text(value))


def _make_converter() -> Converter:
    converter = Converter(detailed_validation=False)
    for kind in (str, int, bool):
        converter.register_structure_hook_func(_is_optional(kind), _exactly(kind))
    # cattrs' own would make texts of numbers here, too.
    converter.register_structure_hook_func(
        lambda wanted: wanted == Mapping[str, str], _texts_by_name
    )
    converter.register_structure_hook_func(lambda wanted: wanted == tuple[str, ...], _texts)
    converter.register_structure_hook(datetime, _utc)
    converter.register_structure_hook(DcvUrl, _dcv_url)
    converter.register_structure_hook_factory(has, _structure_class)
    return converter


_converter = _make_converter()
