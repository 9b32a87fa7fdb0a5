"""The pages of the simulator in Chromium, as a user sees them after their scripts ran."""

import json
import shutil
import subprocess
import tempfile
import urllib.request

import pytest

_PATIENCE = 60


@pytest.fixture(scope="module")
def served(serve):
    return serve("browser")


@pytest.fixture
def browse(give_up):
    """Open a URL for some seconds of the page's time, and return what is then on the page."""
    if shutil.which("chromium") is None:
        give_up("there is no chromium")

    def browse(url: str, seconds: int) -> str:
        with tempfile.TemporaryDirectory() as profile:
            command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
            options = [f"--user-data-dir={profile}", f"--virtual-time-budget={seconds * 1000}"]
            done = subprocess.run(
                [*command, *options, url],
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        return done.stdout.partition("<script>")[0]

    return browse


def control(served, method: str, path: str, body: dict | None = None) -> dict:
    request = urllib.request.Request(  # noqa: S310 - it is ours
        served.environ["DCV_CONTROL_URL"] + path,
        data=json.dumps(body).encode() if body else None,
        headers={"Authorization": f"Bearer {served.environ['DCV_CONTROL_TOKEN']}"},
        method=method,
    )
    with urllib.request.urlopen(request) as reply:  # noqa: S310 - it is ours
        return json.load(reply)


def test_the_page_of_the_admin_interface_shows_what_there_is(served, browse):
    url = served.environ["DCV_CONTROL_URL"]
    token = served.environ["DCV_CONTROL_TOKEN"]
    reason = {"status": "failedStartingGUISession", "failure_reason": "<b>No</b>"}
    control(served, "PUT", "/instances/broken/status", reason)
    page = browse(url.replace("//", f"//anybody:{token}@") + "/", seconds=3)
    assert '<td data-title="name">my-computer</td>' in page
    assert "&lt;b&gt;No&lt;/b&gt;" in page  # as text, not as HTML
    assert '<progress max="100" value="0"></progress> 0 %' in page
    assert "nothing yet" in page
    assert token not in page
    assert "The password is" not in browse(url + "/", seconds=1)


def test_the_page_of_a_desktop_counts_down_and_says_its_end(served, browse, pythons, run):
    program = (
        "import boto3;"
        "print(boto3.client('lightsail').create_gui_session_access_details("
        "resourceName='open')['sessions'][0]['url'])"
    )
    url = run(served, pythons("today"), "-c", program).stdout.strip()
    page = browse(url, seconds=3)
    assert "The application JupyterLab" in page
    assert "The pixels of the desktop would be here" in page
    assert ":" in page.partition('id="left">')[2].partition(" left<")[0]
    page = browse(url, seconds=3700)
    assert '<p id="left">This session has ended</p>' in page
    control(served, "POST", "/advance", {"seconds": 3600})
    assert "The session of this URL has ended" in browse(url, seconds=1)
