"""Errors keep the frames that they came through, and no secret in them."""

import time
import traceback

import pytest
from aiobotocore.session import AioSession

from dcvsessions import ConfigurationError, LightsailClient
from dcvsessions._secrets.tracebacks import MaskedError, errors_without_secrets, remove_secrets

SECRET = "token=s3cr3t"


def function_names(error):
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def with_locals(error):
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(shown.format())


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


def fail_with_a_secret(cause):
    plain = SECRET
    raise KeyError(len(plain)) from cause


def failed(cause=None):
    try:
        fail_with_a_secret(cause)
    except KeyError as error:
        return error
    return None


class Rule:
    """A rule of the caller's, as an event handler of its session, with a mistake in it."""

    def refuse(self, model, **_kwargs):
        self.look_up(model.name, SECRET)

    def look_up(self, name, password):
        raise LookupError(f"no rule for {name}, {len(password)}")


@pytest.mark.looptime
@pytest.mark.parametrize(("event", "was_sent"), [("before-call", False), ("after-call", True)])
async def test_a_mistake_in_an_event_handler_of_the_caller_keeps_its_frames(sim, event, was_sent):
    session = AioSession()
    session.register(f"{event}.lightsail.GetInstances", Rule().refuse)
    async with LightsailClient(session=session) as client:
        with pytest.raises(ConfigurationError, match="LookupError: no rule for") as caught:
            [one async for one in client.get_instances()]
    assert caught.value.was_sent is was_sent
    mistake = caught.value.__cause__
    assert isinstance(mistake, LookupError)
    assert function_names(mistake)[-2:] == ["refuse", "look_up"]
    *_, refuse, look_up = (frame for frame, _ in traceback.walk_tb(mistake.__traceback__))
    assert [*refuse.f_locals, *look_up.f_locals] == []
    assert SECRET not in with_locals(caught.value)


def test_the_frames_of_an_error_stay_and_their_variables_go():
    error = failed()
    assert SECRET in with_locals(error)
    remove_secrets(error)
    assert function_names(error) == ["failed", "fail_with_a_secret"]
    assert SECRET not in with_locals(error)


def test_the_frames_of_all_errors_behind_an_error_are_cleared():
    error = raised(ExceptionGroup("both", [failed(), failed(failed())]))
    remove_secrets(error)
    assert SECRET not in with_locals(error)


def test_an_error_that_the_caller_was_handling_is_not_changed():
    mine = failed()
    error = failed(mine)
    remove_secrets(error, keep=mine)
    assert error.__cause__ is mine
    assert SECRET in with_locals(mine)


def test_an_error_behind_that_shows_a_secret_is_replaced_by_its_class_and_text():
    behind = raised(ConnectionError(f"no answer to {SECRET}"))
    error = failed(behind)
    remove_secrets(error)
    assert isinstance(error.__cause__, MaskedError)
    assert str(error.__cause__) == "builtins.ConnectionError: no answer to token=***"
    assert function_names(error.__cause__) == ["raised"]


def test_an_error_behind_that_shows_no_secret_is_not_replaced():
    behind = raised(ConnectionError("no answer"))
    error = failed(behind)
    remove_secrets(error)
    assert error.__cause__ is behind


class AnswerError(Exception):
    def __init__(self, text, answer):
        super().__init__(text)
        self.answer = answer

    def __repr__(self):
        return "AnswerError()"


def test_an_error_behind_that_keeps_a_secret_in_an_attribute_is_replaced():
    error = failed(AnswerError("no sense", {"token": "s3cr3t"}))
    remove_secrets(error)
    assert str(error.__cause__) == f"{__name__}.AnswerError: no sense"


def test_the_errors_behind_a_replaced_error_stay_behind_it():
    first, second = KeyError("first"), KeyError("second")
    behind = ConnectionError(SECRET)
    behind.__cause__, behind.__context__ = first, second
    behind.__suppress_context__ = False
    error = failed(behind)
    remove_secrets(error)
    assert isinstance(error.__cause__, MaskedError)
    assert (error.__cause__.__cause__, error.__cause__.__context__) == (first, second)
    assert error.__cause__.__suppress_context__ is False


@pytest.mark.parametrize("is_suppressed", [False, True])
def test_whether_a_context_is_shown_does_not_change(is_suppressed):
    error = failed()
    error.__cause__, error.__context__ = KeyError("cause"), ConnectionError(SECRET)
    error.__suppress_context__ = is_suppressed
    remove_secrets(error)
    assert isinstance(error.__context__, MaskedError)
    assert error.__suppress_context__ is is_suppressed


def test_a_long_error_behind_is_replaced_even_if_it_shows_no_secret():
    short, long = ConnectionError("-" * 30_000), ConnectionError("-" * 100_001)
    kept, replaced = failed(short), failed(long)
    remove_secrets(kept)
    remove_secrets(replaced)
    assert kept.__cause__ is short
    assert isinstance(replaced.__cause__, MaskedError)


class UnprintableError(Exception):
    def __repr__(self):
        raise ZeroDivisionError

    __str__ = __repr__


def test_an_error_behind_that_cannot_be_printed_is_replaced_by_its_class():
    error = failed(UnprintableError(SECRET))
    remove_secrets(error)
    assert f"{error.__cause__}".endswith("UnprintableError: ")


def test_an_error_behind_of_20_megabytes_takes_no_time():
    error = failed(ConnectionError("https://me:" * 2_000_000))
    began = time.perf_counter()
    remove_secrets(error)
    assert time.perf_counter() - began < 2
    assert len(str(error.__cause__)) < 20_000


def test_a_circle_of_errors_comes_to_an_end():
    first, second = failed(), failed()
    first.__context__, second.__context__ = second, first
    remove_secrets(first)
    assert first.__context__ is second
    assert SECRET not in with_locals(first) + with_locals(second)


def test_a_decorated_function_lets_out_no_variables():
    secretive = errors_without_secrets(fail_with_a_secret)
    with pytest.raises(KeyError) as caught:
        secretive(None)
    assert function_names(caught.value)[-1] == "fail_with_a_secret"
    assert SECRET not in with_locals(caught.value)
