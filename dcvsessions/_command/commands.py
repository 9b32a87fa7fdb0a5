"""What each command does. Each one calls a helper, or reads with a client."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from threading import Thread
from typing import Literal

from dcvsessions._command.interruption import Interruption
from dcvsessions._command.options import Options
from dcvsessions._command.output import Output
from dcvsessions._command.text import age, table
from dcvsessions._secrets.mask import plain_text
from dcvsessions._wait.listener import OnProgress
from dcvsessions.dcv._opening import Opened, check_program
from dcvsessions.dcv._url import DcvUrl
from dcvsessions.errors import LeftBehind, WaitTimeoutError
from dcvsessions.lightsail._client import LightsailClient
from dcvsessions.lightsail._gui_desktop import gui_session
from dcvsessions.lightsail._helpers import close_gui_session, open_gui_session
from dcvsessions.nimble._client import NimbleClient
from dcvsessions.nimble._helpers import (
    close_streaming_session,
    open_stream,
    open_streaming_session,
)
from dcvsessions.nimble._models import LaunchProfile
from dcvsessions.nimble._ownership import report_leftover
from dcvsessions.nimble._streaming_desktop import streaming_session

__all__ = ["COMMANDS"]

_Run = Callable[[Options, Output, Interruption], Awaitable[None]]


async def _open(options: Options, output: Output, interruption: Interruption) -> None:
    await _check_program(options)
    stop = _command_line("close", options.name, options=options)
    with _named_if_unfinished(f"The session may be running. To stop it: {stop}"):
        async with _lightsail(options) as client:
            if options.stop_on_exit:
                await _open_and_stop(client, options, output, interruption)
                return
            with output.progress() as on_progress:
                url = await open_gui_session(
                    options.name,
                    kind=options.kind,
                    timeout=options.timeout,
                    start_instance=options.start,
                    on_progress=on_progress,
                    client=client,
                )
    output.note(f"The session of {options.name} is started. To stop it: {stop}")
    await _show(url, options, output, {"name": options.name})


async def _open_and_stop(
    client: LightsailClient, options: Options, output: Output, interruption: Interruption
) -> None:
    with ExitStack() as showing:
        async with gui_session(
            options.name,
            stop_on_exit=True,
            kind=options.kind,
            timeout=options.timeout,
            start_instance=options.start,
            on_progress=showing.enter_context(output.progress()),
            client=client,
        ) as desktop:
            showing.close()
            output.note("To stop the session, press Enter or Ctrl-C. Unsaved work is lost then.")
            shown = _show_each(desktop.urls(), options, output, {"name": options.name})
            await interruption.stay(shown)
    output.note(f"The session of {options.name} is stopped.")


async def _status(options: Options, output: Output, _: Interruption) -> None:
    async with _lightsail(options) as client:
        details = await client.create_gui_session_access_details(options.name)
        instance = await client.get_instance_state(options.name)
    percentage = details.percentage_complete
    said = (
        f"computer {instance.name}",
        f"session {details.status}",
        None if percentage is None else f"{percentage} %",
        details.failure_reason,
    )
    output.result(
        plain_text(f"{options.name}: {', '.join(filter(None, said))}"),
        {
            "name": options.name,
            "instance_state": instance.name,
            "status": details.status,
            "percentage_complete": percentage,
            "failure_reason": details.failure_reason,
        },
    )


async def _close(options: Options, output: Output, _: Interruption) -> None:
    again = _command_line("close", options.name, options=options)
    with _named_if_unfinished(f"The session may be running. To stop it: {again}"):
        async with _lightsail(options) as client:
            with output.progress() as on_progress:
                await close_gui_session(
                    options.name, timeout=options.timeout, on_progress=on_progress, client=client
                )
    output.note(f"The session of {options.name} is stopped.")
    output.note("The computer itself is not stopped. It costs by the hour while it runs.")
    output.result("", {"name": options.name})


async def _computers(options: Options, output: Output, _: Interruption) -> None:
    async with _lightsail(options) as client:
        instances = [each async for each in client.get_instances()]
    computers = [
        {
            "name": each.name,
            "instance_state": None if each.state is None else each.state.name,
            "blueprint_name": each.blueprint_name,
        }
        for each in instances
    ]
    if not computers:
        output.note("There are no computers.")
    rows = [tuple(each.values()) for each in computers]
    output.result(table(("NAME", "STATE", "APPLICATION"), rows), computers)


async def _open_stream(options: Options, output: Output, interruption: Interruption) -> None:
    await _check_program(options)
    async with _nimble(options) as client:
        if options.delete_on_exit:
            await _open_and_delete(client, options, output, interruption)
            return
        with _told_if_nothing_is_left(options), output.progress() as on_progress:
            opening = _existing_stream if options.session else _new_stream
            url = await opening(client, options, on_progress)
        session_id = url.streaming_session_id or ""
        delete = _command_line("close-stream", options.studio, session_id, options=options)
        output.note(
            f"Session {session_id} costs by the hour until it is deleted. To delete it: {delete}"
        )
        with nullcontext() if options.session else _named_if_not_shown(session_id):
            about = {"studio_id": options.studio, "session_id": session_id}
            await _show(url, options, output, about)


async def _new_stream(
    client: NimbleClient, options: Options, on_progress: OnProgress | None
) -> DcvUrl:
    return await open_streaming_session(
        options.studio,
        launch_profile_id=options.launch_profile or "",
        ec2_instance_type=options.instance_type,
        client_token=options.client_token,
        expiration_in_seconds=options.expires_in,
        timeout=options.timeout,
        on_progress=on_progress,
        client=client,
    )


async def _existing_stream(
    client: NimbleClient, options: Options, on_progress: OnProgress | None
) -> DcvUrl:
    return await open_stream(
        options.studio,
        options.session or "",
        expiration_in_seconds=options.expires_in,
        timeout=options.timeout,
        on_progress=on_progress,
        client=client,
    )


async def _open_and_delete(
    client: NimbleClient, options: Options, output: Output, interruption: Interruption
) -> None:
    with _told_if_nothing_is_left(options), ExitStack() as showing:
        async with streaming_session(
            options.studio,
            launch_profile_id=options.launch_profile or "",
            ec2_instance_type=options.instance_type,
            expiration_in_seconds=options.expires_in,
            timeout=options.timeout,
            on_progress=showing.enter_context(output.progress()),
            client=client,
        ) as desktop:
            url = await desktop.url()
            showing.close()
            session_id = desktop.session_id
            output.note(f"To delete session {session_id}, press Enter or Ctrl-C.")
            about = {"studio_id": options.studio, "session_id": session_id}
            await interruption.stay(_show_and_wait(url, options, output, about))
    # The end of the block does not wait until it is deleted.
    output.note(f"Session {session_id} is being deleted.")


async def _streams(options: Options, output: Output, _: Interruption) -> None:
    async with _nimble(options) as client:
        sessions = [each async for each in client.list_streaming_sessions(options.studio)]
    if not sessions:
        output.note(f"Studio {options.studio} has no streaming sessions.")
    now = datetime.now(UTC)
    rows = [
        (
            each.session_id,
            each.state,
            each.owned_by,
            None if each.created_at is None else age(now - each.created_at),
            each.launch_profile_id,
        )
        for each in sessions
    ]
    output.result(
        table(("SESSION", "STATE", "OWNER", "AGE", "LAUNCH PROFILE"), rows),
        [
            {
                "session_id": each.session_id,
                "state": each.state,
                "owned_by": each.owned_by,
                "created_at": each.created_at and each.created_at.isoformat(),
                "launch_profile_id": each.launch_profile_id,
                "ec2_instance_type": each.ec2_instance_type,
            }
            for each in sessions
        ],
    )


async def _close_stream(options: Options, output: Output, _: Interruption) -> None:
    session_id = options.session or ""
    async with _nimble(options) as client:
        with output.progress() as on_progress:
            await close_streaming_session(
                options.studio,
                session_id,
                timeout=options.timeout,
                on_progress=on_progress,
                client=client,
            )
    output.note(f"There is no session {session_id} any more.")
    output.result("", {"studio_id": options.studio, "session_id": session_id})


async def _studios(options: Options, output: Output, _: Interruption) -> None:
    async with _nimble(options) as client:
        studios = [
            (studio, [each async for each in client.list_launch_profiles(studio.studio_id or "")])
            async for studio in client.list_studios()
        ]
    if not studios:
        output.note("There are no studios.")
    rows = [
        (studio.studio_id, studio.display_name, each.launch_profile_id, each.name)
        for studio, profiles in studios
        for each in profiles or [LaunchProfile()]
    ]
    output.result(
        table(("STUDIO", "STUDIO NAME", "LAUNCH PROFILE", "PROFILE NAME"), rows),
        [
            {
                "studio_id": studio.studio_id,
                "display_name": studio.display_name,
                "launch_profiles": [
                    {"launch_profile_id": each.launch_profile_id, "name": each.name}
                    for each in profiles
                ],
            }
            for studio, profiles in studios
        ],
    )


async def _show_each(
    urls: AsyncIterator[DcvUrl], options: Options, output: Output, about: Mapping[str, object]
) -> None:
    async for url in urls:
        await _show(url, options, output, about)


async def _show_and_wait(
    url: DcvUrl, options: Options, output: Output, about: Mapping[str, object]
) -> None:
    await _show(url, options, output, about)
    # The URL is only needed to connect. So it is not shown again when it has expired.
    await asyncio.get_running_loop().create_future()


async def _check_program(options: Options) -> None:
    """Fail before a start that takes minutes and costs money, if nothing could show the desktop."""
    if options.program:
        await asyncio.to_thread(check_program, options.program)


async def _show(url: DcvUrl, options: Options, output: Output, about: Mapping[str, object]) -> None:
    """Open a URL, or print it if that is asked for."""
    opened = await _opened(url, options.program) if options.program else None
    if opened is not None:
        output.note(f"The desktop was opened with the {opened.with_}.")
    data = {
        **about,
        "opened_with": opened and opened.with_,
        "expires_at": url.expires_at and url.expires_at.isoformat(),
        **({"url": url} if options.print_url else {}),
    }
    output.result(str(url) if options.print_url else "", data)


async def _opened(url: DcvUrl, with_: Literal["browser", "viewer", "auto"]) -> Opened:
    """Open a URL in a thread, because a browser can take seconds to start.

    Some browsers block until they are closed. The end of the command does not wait for them, but it
    waits for the viewer to be started, because its file has to be removed.
    """
    opening: Future[Opened] = Future()

    def open_url() -> None:
        opening.set_running_or_notify_cancel()
        try:
            opening.set_result(url.open(with_))
        except BaseException as error:  # noqa: BLE001 - the command raises it
            opening.set_exception(error)

    is_browser = url.is_web and with_ != "viewer"
    Thread(target=open_url, name="dcvsessions-open", daemon=is_browser).start()
    return await asyncio.wrap_future(opening)


@contextmanager
def _named_if_not_shown(session_id: str) -> Generator[None, None, None]:
    """Name a new session in the error, and on standard error even if there are no notes."""
    try:
        yield
    except BaseException as error:
        report_leftover(error, LeftBehind(session_id=session_id))
        raise


@contextmanager
def _named_if_unfinished(left: str) -> Generator[None, None, None]:
    """Add what may be left to the error of a wait that was cut short."""
    try:
        yield
    except (asyncio.CancelledError, WaitTimeoutError) as error:
        error.add_note(left)
        raise


@contextmanager
def _told_if_nothing_is_left(options: Options) -> Generator[None, None, None]:
    """Say after Ctrl-C that no session costs money, if that is known."""
    try:
        yield
    except asyncio.CancelledError as error:
        # A session that exists is not deleted, and a token may have found one.
        is_new = not options.session and not options.client_token
        if is_new and getattr(error, "left_behind", None) is None:
            error.add_note("No session is left behind.")
        raise


def _command_line(command: str, *arguments: str, options: Options) -> str:
    """Return a command line for the same region and account."""
    aws = {
        "--region": options.region,
        "--profile": options.profile,
        "--endpoint-url": options.endpoint_url,
    }
    given = [text for option, value in aws.items() if value for text in (option, value)]
    return shlex.join(["dcvsessions", command, *arguments, *given])


def _lightsail(options: Options) -> LightsailClient:
    return LightsailClient(
        region_name=options.region,
        profile_name=options.profile,
        endpoint_url=options.endpoint_url,
    )


def _nimble(options: Options) -> NimbleClient:
    return NimbleClient(
        region_name=options.region,
        profile_name=options.profile,
        endpoint_url=options.endpoint_url,
    )


COMMANDS: dict[str, _Run] = {
    "open": _open,
    "status": _status,
    "close": _close,
    "computers": _computers,
    "open-stream": _open_stream,
    "streams": _streams,
    "close-stream": _close_stream,
    "studios": _studios,
}
