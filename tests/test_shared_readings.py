"""Several waits on one studio and client: one list reads for all of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from second_fake import Service, replied

from dcvsessions import (
    NimbleClient,
    Progress,
    StreamingSessionState,
    WaitFailedError,
    close_streaming_session,
    open_stream,
    open_streaming_session,
)
from dcvsessions.simulator import Fault, Simulator, TransitionPlan

pytestmark = pytest.mark.looptime

GET = "GetStreamingSession"
LIST = "ListStreamingSessions"


def counts(sim: Simulator) -> Counter[str]:
    return Counter(request.operation or "" for request in sim.requests)


async def opened(client: NimbleClient, how_many: int, **how: float) -> list[str]:
    return await asyncio.gather(
        *(
            open_streaming_session("studio-1", launch_profile_id="lp-1", client=client, **how)
            for _ in range(how_many)
        )
    )


async def test_one_wait_reads_with_get(sim: Simulator, nimble: NimbleClient) -> None:
    await opened(nimble, 1)
    assert counts(sim)[LIST] == 0
    assert counts(sim)[GET] > 1


async def test_a_hundred_waits_need_hardly_more_reads_than_one(
    sim: Simulator, nimble: NimbleClient
) -> None:
    sim.nimble.plan("CreateStreamingSession", *[TransitionPlan(seconds=120)] * 101)
    await opened(nimble, 1)
    alone = counts(sim)[GET]
    urls = await opened(nimble, 100)
    assert all(map(sim.accepts, urls))
    # A page has 50 sessions.
    assert counts(sim)[LIST] <= 4 * alone
    assert counts(sim)[GET] - alone <= 4 * alone


async def test_sharing_readings_makes_no_wait_later(sim: Simulator, nimble: NimbleClient) -> None:
    ready_after = [30.0 + 7 * number for number in range(20)]
    plans = [TransitionPlan(seconds=seconds) for seconds in ready_after]
    sim.nimble.plan("CreateStreamingSession", *plans)
    began = asyncio.get_running_loop().time()
    late: list[float] = []

    def hear(event: Progress) -> None:
        if event.state == StreamingSessionState.READY and event.resource.startswith("streaming"):
            age = asyncio.get_running_loop().time() - began
            late.append(min(age - each for each in ready_after if age >= each - 0.5))

    await asyncio.gather(
        *(
            open_streaming_session(
                "studio-1", launch_profile_id="lp-1", client=nimble, on_progress=hear
            )
            for _ in ready_after
        )
    )
    assert len(late) >= 20
    assert max(late) < 20


async def test_waits_go_on_with_get_where_listing_is_denied(
    sim: Simulator, nimble: NimbleClient
) -> None:
    sim.inject(LIST, Fault.error("AccessDeniedException", 403), times=None)
    urls = await opened(nimble, 5)
    assert all(map(sim.accepts, urls))
    assert counts(sim)[LIST] == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault.error("ValidationException", 400),
        Fault.error("ThrottlingException", 429),
        Fault.error(None, 503),
        Fault.html(),
        Fault.reset(),
        Fault.no_answer(),
    ],
    ids=["validation", "throttled", "503", "page", "reset", "no answer"],
)
@pytest.mark.parametrize("times", [5, None], ids=["for a while", "always"])
async def test_a_list_that_fails_harms_no_wait(
    sim: Simulator, nimble: NimbleClient, fault: Fault, times: int | None
) -> None:
    sim.inject(LIST, fault, times=times)
    urls = await opened(nimble, 5)
    assert all(map(sim.accepts, urls))


async def test_a_session_that_is_not_in_the_list_is_read_with_get(fake: Service) -> None:
    fake.always("ListStreamingSessions", replied(200, {"sessions": []}))
    sessions = [fake.add_session() for _ in range(3)]
    async with NimbleClient() as client:
        await asyncio.gather(
            *(open_stream("studio", each.session_id, client=client) for each in sessions)
        )


async def test_a_failed_session_is_read_with_get_for_its_reasons(fake: Service) -> None:
    sessions = [fake.add_session("CREATE_FAILED") for _ in range(2)]
    listed = [{"sessionId": each.session_id, "state": "CREATE_FAILED"} for each in sessions]
    fake.always("ListStreamingSessions", replied(200, {"sessions": listed}))
    for each in sessions:
        each.message = "No capacity."
    async with NimbleClient() as client:
        outcomes = await asyncio.gather(
            *(open_stream("studio", each.session_id, client=client) for each in sessions),
            return_exceptions=True,
        )
    for outcome in outcomes:
        assert isinstance(outcome, WaitFailedError)
        assert "No capacity" in str(outcome)


async def test_waits_of_two_clients_or_studios_share_nothing(sim: Simulator) -> None:
    sim.nimble.add_studio("studio-2", launch_profiles=("lp-1",))
    async with NimbleClient() as one, NimbleClient() as other:
        await asyncio.gather(
            open_streaming_session("studio-1", launch_profile_id="lp-1", client=one),
            open_streaming_session("studio-1", launch_profile_id="lp-1", client=other),
            open_streaming_session("studio-2", launch_profile_id="lp-1", client=one),
        )
    assert counts(sim)[LIST] == 0


async def test_a_cancelled_wait_takes_no_reading_from_the_others(
    sim: Simulator, nimble: NimbleClient
) -> None:
    sim.inject(LIST, Fault.delay(5), times=None)
    tasks = [
        asyncio.create_task(
            open_streaming_session("studio-1", launch_profile_id="lp-1", client=nimble)
        )
        for _ in range(4)
    ]
    for task in tasks[:3]:
        await asyncio.sleep(3)
        assert task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(each, asyncio.CancelledError) for each in outcomes] == [True] * 3 + [False]
    assert len(sim.nimble.alive) == 1


async def test_a_workshop_is_closed_with_shared_readings(
    sim: Simulator, nimble: NimbleClient
) -> None:
    await opened(nimble, 30)
    sim.nimble.plan("DeleteStreamingSession", *[TransitionPlan(seconds=60)] * 30)
    ids, before = sim.nimble.alive, counts(sim)
    await asyncio.gather(
        *(close_streaming_session("studio-1", each, client=nimble) for each in ids)
    )
    assert not sim.nimble.alive
    reads = counts(sim) - before
    # One Get for each session shows that it is really gone.
    assert reads[GET] <= 30 + 5
    assert reads[LIST] <= 40


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    async with Service.in_place_of_aws(monkeypatch) as service:
        yield service
