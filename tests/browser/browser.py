"""A headless Chromium, driven over WebDriver (https://www.w3.org/TR/webdriver2). Standard library only."""

import json
import subprocess
import urllib.error
import urllib.request

ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
             "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


class Browser:
    """One window. Every method waits until the browser has done it."""

    def __init__(self):
        self._driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        port = None
        for line in self._driver.stdout:
            if "started successfully on port" in line:
                port = int(line.strip().rstrip(".").split()[-1])
                break
        if port is None:
            raise RuntimeError("chromedriver did not start")
        self._address = f"http://127.0.0.1:{port}/session"
        capabilities = {"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"},
                        "goog:chromeOptions": {"args": ARGUMENTS}}
        try:
            session = self._post("", {"capabilities": {"alwaysMatch": capabilities}})["sessionId"]
        except BaseException:
            self._driver.terminate()
            raise
        self._address += "/" + session

    def _request(self, request):
        # No proxy between here and the driver.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from error

    def _post(self, path, body):
        return self._request(urllib.request.Request(self._address + path, json.dumps(body).encode(),
                                                    {"Content-Type": "application/json"}))

    def close(self):
        try:
            self._request(urllib.request.Request(self._address, method="DELETE"))
        finally:
            self._driver.terminate()
            self._driver.wait()
            self._driver.stdout.close()

    def open(self, path):
        self.open_address(path.as_uri())

    def open_address(self, address):
        self._post("/url", {"url": address})

    def run(self, script, *arguments):
        """The value of the body of a function of JavaScript; a promise's value once it has one."""
        return self._post("/execute/sync", {"script": script, "args": list(arguments)})

    def devtools(self, command, **parameters):
        return self._post("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def console(self):
        """Errors and messages since the last call."""
        return [entry["message"] for entry in self._post("/se/log", {"type": "browser"})]

    def scheme(self, name):
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def size(self, width, height):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=width < 600)
