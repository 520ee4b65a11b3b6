"""Gives an access token to whoever claims to have the one key; run as a program: PORT KEY_ID.

The signature is not verified: the tests are about which key restic was given, not about Google.
"""

import base64
import http.server
import json
import sys
import urllib.parse


class Tokens(http.server.BaseHTTPRequestHandler):
    def do_POST(self):  # noqa: N802 (the name is http.server's)
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        header = form["assertion"][0].split(".")[0]
        key_id = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))).get("kid")
        if key_id == self.server.key_id:
            self._answer(200, {"access_token": "token", "token_type": "Bearer", "expires_in": 3600})
        else:
            self._answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})

    def _answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Tokens)
    server.key_id = sys.argv[2]
    server.serve_forever()
