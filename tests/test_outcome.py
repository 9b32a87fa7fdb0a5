"""What each kind of error says of a call: whether to wait on, and whether it had an effect."""

import pytest

from dcvsessions import errors
from dcvsessions._wait.outcome import is_absorbed, is_refusal
from dcvsessions.errors import ApiError, ConfigurationError, ConnectionFailedError, DcvSessionsError

# By class: whether the wait goes on, and whether the error proves that nothing happened.
ANSWERS = {
    "AccessDeniedError": (False, True),
    "ApiError": (False, False),
    "AuthenticationError": (False, True),
    "ClockSkewError": (False, True),
    "ConflictError": (False, True),
    "CredentialsExpiredError": (False, True),
    "InvalidRequestError": (False, True),
    "NotFoundError": (False, True),
    "QuotaExceededError": (False, True),
    "ServiceFaultError": (True, False),
    "ThrottledError": (True, True),
}


def test_the_table_names_every_answer() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    answers = [kind.__name__ for kind in kinds if issubclass(kind, ApiError)]
    assert sorted(answers) == list(ANSWERS)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_of_the_service(name: str) -> None:
    error = getattr(errors, name)(
        code="Code", message="No", operation="Some", request_id=None, http_status=400
    )
    assert (is_absorbed(error), is_refusal(error)) == ANSWERS[name]


@pytest.mark.parametrize("was_sent", [False, True])
@pytest.mark.parametrize(
    ("kind", "goes_on"),
    [
        (errors.ConnectionFailedError, True),
        (errors.CallTimeoutError, True),
        (errors.ServiceClosedError, False),
        (errors.ConfigurationError, False),
        (errors.CredentialsNotFoundError, False),
    ],
)
def test_a_call_without_an_answer(
    kind: type[ConnectionFailedError | ConfigurationError], *, goes_on: bool, was_sent: bool
) -> None:
    error = kind("No.", was_sent=was_sent)
    assert (is_absorbed(error), is_refusal(error)) == (goes_on, not was_sent)


def test_a_foreign_answer() -> None:
    error = errors.InvalidResponseError("A page.", operation="Some")
    assert (is_absorbed(error), is_refusal(error)) == (True, False)


@pytest.mark.parametrize("kind", [errors.InvalidArgumentError, errors.ClientStateError])
def test_what_this_package_refuses_was_never_sent(kind: type[DcvSessionsError]) -> None:
    assert (is_absorbed(kind("No.")), is_refusal(kind("No."))) == (False, True)
