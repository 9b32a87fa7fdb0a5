"""The contract on AWS: it says what it will do and costs, and asks. Here the simulator is AWS."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dcvsessions.simulator import Simulator

ROOT = Path(__file__).resolve().parent.parent


async def run_contract(
    sim: Simulator, answer: str, *options: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "tests/contract", *options]
    settings = {"DCV_CONTRACT": "aws", "DCV_CONTRACT_COMPUTER": "my-computer"} | environ
    return await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=ROOT,
        env={**os.environ, **sim.environ, **settings},
        input=answer,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("answer", ["n\n", ""])
async def test_nothing_is_sent_before_the_plan_is_agreed_to(sim: Simulator, answer: str) -> None:
    done = await run_contract(sim, answer)
    assert done.returncode == 1
    assert "On the virtual computer my-computer it will:" in done.stdout
    assert "- start the GUI session and stop it again (5 minutes)\n" in done.stdout
    assert "about 11 minutes." in done.stdout
    assert "0.18 times the computer's price per hour" in done.stdout
    assert "The contract was not run" in done.stdout
    assert sim.requests == []


async def test_a_long_test_is_in_the_plan_only_if_its_minutes_are_allowed(sim: Simulator) -> None:
    done = await run_contract(sim, "n\n", DCV_CONTRACT_MINUTES="70")
    assert "wait until it expires, resume it and stop it (70 minutes)\n" in done.stdout
    assert "about 81 minutes." in done.stdout
    assert "1.35 times the computer's price per hour" in done.stdout
    assert sim.requests == []


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"DCV_CONTRACT_COMPUTER": ""}, "DCV_CONTRACT_COMPUTER has to name a virtual computer"),
        ({"DCV_CONTRACT": "AWS"}, "DCV_CONTRACT has to be aws or simulator, not AWS"),
    ],
)
async def test_a_mistake_in_the_environment_is_named(
    sim: Simulator, environ: dict[str, str], said: str
) -> None:
    done = await run_contract(sim, "y\n", **environ)
    assert done.returncode == 1
    assert said in done.stdout
    assert sim.requests == []


async def test_a_contract_that_is_agreed_to_is_run(sim: Simulator) -> None:
    done = await run_contract(sim, "y\n", "-k", "test_unknown_names")
    assert done.returncode == 0, done.stdout
    assert "about 0 minutes." in done.stdout
    assert {call.error for call in sim.requests} == {"NotFoundException"}
