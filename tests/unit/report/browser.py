"""Runs a page in headless Chromium with a script of a test's own, and returns what the script found."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATH = next((found for name in NAMES if (found := shutil.which(name))), None)
ABSENT = f"no Chromium on PATH ({', '.join(NAMES)}): pages are not exercised in a browser"
_PROBE = """<script>
window.problems = [];
const report = text => window.problems.push(String(text));
window.addEventListener("error", event => report(event.message));
document.addEventListener("securitypolicyviolation", event => report("blocked " + event.blockedURI));
</script>"""
_REPORT = """<script>
(() => { const out = document.createElement("pre"); out.id = "found";
let result = null;
try { result = (() => { %s })(); } catch (error) { window.problems.push(String(error)); }
out.textContent = JSON.stringify({ result, problems: window.problems }); document.body.append(out); })();
</script></body>"""


def in_browser(page: str, script: str, folder: Path) -> Any:
    """Return what `script`, the body of a function, returns in the page; an error in it fails the test."""
    target = folder / "page.html"
    target.write_text(page.replace("<head>", f"<head>{_PROBE}", 1).replace("</body>", _REPORT % script),
                      encoding="utf-8")
    assert PATH is not None
    done = subprocess.run(
        [PATH, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000",
         f"--user-data-dir={folder / 'profile'}", "--dump-dom", target.as_uri()],
        capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    answer = json.loads(html.unescape(found[1]))
    assert answer["problems"] == []
    return answer["result"]
