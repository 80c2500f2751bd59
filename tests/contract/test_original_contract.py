"""wire.md §2–§4 as an existing front end speaks it, with a client that is not tungstenite."""

import json
import re
import unittest

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from box import ANSWER_S, Box

MESSAGE_KEYS = {
    "id", "service_request", "service_request_id", "sender_type", "sender_user",
    "sender_workshop", "sender_name", "content", "read_by_user", "read_by_workshop", "created_at",
}
ITEM_KEYS = {
    "service_request_id", "other_party_name", "unread_count", "last_message_excerpt",
    "last_message_time",
}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


def setUpModule():
    global box
    box = Box()
    unittest.addModuleCleanup(box.__exit__)
    box.__enter__()


class Original(unittest.TestCase):
    def setUp(self):
        # A request of its own for each test, so that one test's messages are not another's.
        self.admin = box.staff("workshop_admin")
        mechanic = box.staff("mechanic")
        status, _, opened = box.call("POST", "/api/service-requests/", self.admin["token"], {
            "customer": {"full_name": "Asha Nair"},
            "vehicle": {"plate": "KL 07 CD 4321"},
            "description": self.id(),
            "assigned_to": mechanic["id"],
        })
        self.assertEqual(status, 201, opened)
        self.mechanic = mechanic
        self.request = opened["id"]
        code = opened["invite"]["url"].split("#")[1]
        status, _, owner = box.call("POST", "/api/auth/invite/", body={"code": code})
        self.assertEqual(status, 200, owner)
        self.owner_token = owner["access"]
        self.owner_id = owner["user"]["id"]
        self.messages = f"/api/service-requests/{self.request}/messages/"

    def socket(self, path):
        address = box.url.replace("http", "ws", 1) + path
        return self.enterContext(connect(address, open_timeout=ANSWER_S))

    def chat(self, token, request=None, name="token"):
        return self.socket(f"/ws/service-chat/{request or self.request}/?{name}={token}")

    def receive(self, socket):
        return json.loads(socket.recv(ANSWER_S))

    def say(self, socket, content):
        socket.send(json.dumps({"type": "chat.message", "content": content}))

    def close_code(self, socket):
        with self.assertRaises(ConnectionClosed) as closed:
            socket.recv(ANSWER_S)
        return closed.exception.rcvd.code

    def counts(self, socket, unread):
        """Notifications until this request's number is the one expected."""
        while True:
            told = self.receive(socket)
            self.assertEqual(set(told), {"event", "type", "data"})
            self.assertEqual(told["event"], "notifications.update")
            self.assertEqual(told["type"], "notification.message")
            self.assertEqual(set(told["data"]), {"total_unread_count", "items"})
            items = told["data"]["items"]
            self.assertEqual(
                told["data"]["total_unread_count"], sum(item["unread_count"] for item in items))
            times = [item["last_message_time"] for item in items]
            self.assertEqual(times, sorted(times, reverse=True), "newest first")
            for item in items:
                self.assertEqual(set(item), ITEM_KEYS)
                self.assertGreater(item["unread_count"], 0)
            mine = [item for item in items if item["service_request_id"] == self.request]
            if sum(item["unread_count"] for item in mine) == unread:
                return mine[0] if mine else None

    def test_a_message_reaches_both_as_one_flat_object(self):
        owner, workshop = self.chat(self.owner_token), self.chat(self.admin["token"])
        self.say(owner, "  Is it ready?\n")
        mine, theirs = self.receive(owner), self.receive(workshop)
        self.assertEqual(mine, theirs)
        self.assertEqual(set(mine), MESSAGE_KEYS)
        self.assertRegex(mine["created_at"], TIME)
        self.assertEqual(mine["service_request"], self.request)
        self.assertEqual(mine["service_request_id"], self.request)
        self.assertEqual(mine["content"], "Is it ready?")
        self.assertEqual((mine["sender_type"], mine["sender_user"]), ("USER", self.owner_id))
        self.assertIsNone(mine["sender_workshop"])
        self.assertEqual(mine["sender_name"], "Asha Nair")
        self.assertEqual((mine["read_by_user"], mine["read_by_workshop"]), (True, False))

        self.say(workshop, "Tomorrow at ten")
        answer = self.receive(owner)
        self.assertEqual(answer, self.receive(workshop))
        self.assertGreater(answer["id"], mine["id"])
        self.assertEqual((answer["sender_type"], answer["sender_user"]), ("WORKSHOP", None))
        self.assertIsInstance(answer["sender_workshop"], int)
        self.assertEqual(answer["sender_name"], "Nair Motors")
        self.assertEqual((answer["read_by_user"], answer["read_by_workshop"]), (False, True))

    def test_nothing_but_message_objects_comes_on_this_socket(self):
        owner, workshop = self.chat(self.owner_token), self.chat(self.admin["token"])
        self.say(owner, "   ")
        self.say(owner, "x" * 8001)
        for frame in ["", "{", "[]", "7", '{"type":"typing"}', '{"type":"chat.typing"}']:
            owner.send(frame)
        status, _, _ = box.call("POST", self.messages + "mark-read/", self.admin["token"], {})
        self.assertEqual(status, 200)
        self.say(owner, "x" * 8000)
        for socket in (owner, workshop):
            received = self.receive(socket)
            self.assertEqual(set(received), MESSAGE_KEYS)
            self.assertEqual(len(received["content"]), 8000)

    def test_wrong_tokens_and_wrong_requests_are_closed_with_codes_a_browser_can_read(self):
        stranger = box.owner(box.requests[0])
        self.assertEqual(self.close_code(self.chat("nonsense")), 4401)
        self.assertEqual(self.close_code(self.chat("")), 4401)
        self.assertEqual(self.close_code(self.chat(stranger["token"])), 4403)
        self.assertEqual(self.close_code(self.chat(self.owner_token, request=999_999)), 4403)
        self.assertEqual(self.close_code(self.socket("/ws/notifications/?token=nonsense")), 4401)
        self.assertEqual(self.close_code(self.socket("/ws/notifications/")), 4401)
        status, _, _ = box.call("GET", f"/ws/service-chat/{self.request}/", self.owner_token)
        self.assertEqual(status, 426)

    def test_the_token_may_be_called_access_and_the_last_slash_may_be_missing(self):
        address = f"/ws/service-chat/{self.request}?access={self.owner_token}"
        first, second = self.chat(self.owner_token, name="access"), self.socket(address)
        self.say(first, "Hello")
        self.assertEqual(self.receive(second)["content"], "Hello")
        status, _, _ = box.call("GET", self.messages.rstrip("/"), self.owner_token)
        self.assertEqual(status, 200)

    def test_red_dots_move_whichever_way_a_message_came_and_go_when_it_is_read(self):
        staff = self.socket(f"/ws/notifications/?token={self.admin['token']}")
        mechanic = self.socket(f"/ws/notifications/?token={self.mechanic['token']}")
        owner = self.socket(f"/ws/notifications/?token={self.owner_token}")
        self.assertIsNone(self.counts(owner, 0))
        self.say(self.chat(self.owner_token), "Is it ready? " + "a" * 60)
        for socket in (staff, mechanic):
            item = self.counts(socket, 1)
            self.assertEqual(item["other_party_name"], "Asha Nair")
            excerpt = ("Is it ready? " + "a" * 60)[:50] + "..."
            self.assertEqual(item["last_message_excerpt"], excerpt)
            self.assertRegex(item["last_message_time"], TIME)
        status, _, posted = box.call(
            "POST", self.messages, self.owner_token, {"content": "Hello?"})
        self.assertEqual(status, 201, posted)
        for socket in (staff, mechanic):
            self.assertEqual(self.counts(socket, 2)["last_message_excerpt"], "Hello?")
        # What a colleague has read is no longer unread.
        read = box.call("POST", self.messages + "mark-read/", self.mechanic["token"], {})
        self.assertEqual(read[0], 200)
        self.assertEqual(read[2], {"message": "Marked 2 messages as read", "updated_count": 2})
        for socket in (staff, mechanic):
            self.assertIsNone(self.counts(socket, 0))
        box.call("POST", self.messages, self.admin["token"], {"content": "It is ready"})
        self.assertEqual(self.counts(owner, 1)["other_party_name"], "Nair Motors")
        for path in ("messages/unread-summary/", "service-requests/messages/unread-summary/"):
            status, _, summary = box.call("GET", f"/api/{path}", self.owner_token)
            self.assertEqual((status, summary["total_unread_count"]), (200, 1))
            self.assertEqual(set(summary["items"][0]), ITEM_KEYS)

    def test_history_comes_in_pages_and_says_when_there_is_more(self):
        for number in range(7):
            status, _, posted = box.call(
                "POST", self.messages, self.owner_token, {"content": str(number)})
            self.assertEqual(status, 201, posted)
            self.assertLessEqual(MESSAGE_KEYS, set(posted))
        status, headers, page = box.call("GET", self.messages + "?limit=3", self.admin["token"])
        self.assertEqual([message["content"] for message in page], ["4", "5", "6"])
        self.assertEqual(page, sorted(page, key=lambda message: message["id"]))
        link = re.fullmatch(r'<([^>]+)>; rel="prev"', headers["Link"])
        status, headers, page = box.call("GET", link[1], self.admin["token"])
        self.assertEqual([message["content"] for message in page], ["1", "2", "3"])
        path = f"{self.messages}?limit=3&before={page[0]['id']}"
        status, headers, page = box.call("GET", path, self.admin["token"])
        self.assertEqual([message["content"] for message in page], ["0"])
        self.assertIsNone(headers["Link"])

    def test_a_name_given_twice_is_one_message_on_every_way(self):
        chat = self.chat(self.admin["token"])
        body = {"content": "Once", "client_id": "0193b5a4-0000-7000-8000-" + "%012x" % self.request}
        first = box.call("POST", self.messages, self.owner_token, body)
        again = box.call("POST", self.messages, self.owner_token, body)
        self.assertEqual((first[0], first[2]["id"]), (201, again[2]["id"]))
        self.say(chat, "Twice")
        self.assertEqual([self.receive(chat)["content"] for _ in "12"], ["Once", "Twice"])

    def test_somebody_elses_request_and_none_at_all_are_alike(self):
        stranger = box.owner(box.requests[0])["token"]
        for suffix in ("", "messages/"):
            theirs = box.call("GET", f"/api/service-requests/{self.request}/{suffix}", stranger)
            none = box.call("GET", f"/api/service-requests/999999/{suffix}", stranger)
            self.assertEqual((theirs[0], theirs[2]), (none[0], none[2]))
            self.assertIn(theirs[0], (403, 404))
            self.assertEqual(theirs[1]["Content-Type"].split(";")[0], "application/problem+json")


if __name__ == "__main__":
    unittest.main()
