#!/usr/bin/env python3
"""The long link keeps what it promises: its delay, the order of packets, its queue and its loss, and it ends by itself.

Needs root, /dev/net/tun and iproute2; without them the tests are skipped, which is a failure with CI=true."""
import json
import os
import subprocess
import sys
import time
import unittest

from common import CAIRN, ROOT, main, namespaces

NETLINK = os.path.join(os.path.dirname(CAIRN), "tests/nodes/netlink")
LONGLINK = os.path.join(ROOT, "tools/longlink")
PORT = 7001

# Inside the receiver: note which packets come, when, and send each back if told so.
HEAR = """
import json, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
s.settimeout(float(sys.argv[4]))
print("up", flush=True)
heard = []
try:
    while True:
        data, at = s.recvfrom(2000)
        heard.append((int(data[:8]), time.monotonic()))
        if sys.argv[3] == "echo":
            s.sendto(data, at)
except TimeoutError:
    pass
print(json.dumps(heard))
"""

# Inside a sender: send numbered packets; with echo wait for each, and tell how long it took.
SAY = """
import json, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
count, size, pause = int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6])
took = []
for i in range(count):
    at = time.monotonic()
    s.sendto((b"%08d" % i).ljust(size), (sys.argv[1], int(sys.argv[2])))
    if sys.argv[3] == "echo":
        s.recv(2000)
        took.append(time.monotonic() - at)
    time.sleep(pause)
print(json.dumps(took))
"""

# Outside, as the command of longlink: the receiver first, then each sender, together.
BOTH = """
import json, os, subprocess, sys
mode, count, size, pause, silence = sys.argv[1:6]
space, address = os.environ["LONGLINK_RECEIVER"].split()
inside = lambda space, *words: subprocess.Popen(["ip", "netns", "exec", space, sys.executable, "-c", *words], stdout=subprocess.PIPE, text=True)
hear = inside(space, os.environ["HEAR"], address, os.environ["PORT"], mode, silence)
hear.stdout.readline()
say = [inside(place.split()[0], os.environ["SAY"], address, os.environ["PORT"], mode, count, size, pause)
       for place in os.environ["LONGLINK_SENDERS"].split(",")]
took = [json.loads(one.communicate()[0]) for one in say]
print(json.dumps([json.loads(hear.communicate()[0]), took]))
"""


def can():
    return os.path.exists("/dev/net/tun") and namespaces()


def spaces():
    return subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout.split()


class LongLink(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not can():
            if os.environ.get("CI") == "true":
                raise AssertionError("root, /dev/net/tun and iproute2 are needed")
            raise unittest.SkipTest("root, /dev/net/tun and iproute2 are needed")

    def link(self, *words, mode="one-way", count=100, size=100, pause=0.0, silence=2):
        """What the receiver heard (number, seconds), and how long echoes took."""
        env = dict(os.environ, HEAR=HEAR, SAY=SAY, PORT=str(PORT))
        done = subprocess.run([LONGLINK, "--netlink", NETLINK, "--seconds", "60", *words, sys.executable, "-c", BOTH, mode,
                               str(count), str(size), str(pause), str(silence)], env=env, capture_output=True, text=True, timeout=90)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_a_round_trip_takes_its_time(self):
        _, took = self.link("--rtt", "80", mode="echo", count=20)
        self.assertEqual(len(took[0]), 20)
        self.assertGreaterEqual(min(took[0]), 0.080)
        self.assertLess(min(took[0]), 0.5)

    def test_packets_stay_in_order_and_none_is_lost(self):
        heard, _ = self.link("--rtt", "20", "--rate", "100", count=3000, pause=0.0005)
        self.assertEqual([number for number, _ in heard], list(range(3000)))

    def test_the_rate_holds_and_the_queue_ends(self):
        """1 Mbit/s and 80 ms of queue: a burst of 200 packets of 8 ms each loses most, the rest comes one by one."""
        heard, _ = self.link("--rtt", "10", "--rate", "1", "--queue", "80", count=200, size=972)
        numbers = [number for number, _ in heard]
        self.assertEqual(numbers, sorted(numbers))
        self.assertGreaterEqual(len(heard), 10)  # the queue's ten, whatever the burst's own length
        self.assertLess(len(heard), 150)
        self.assertGreaterEqual(heard[9][1] - heard[0][1], 9 * 0.008 * 0.5)

    def test_packets_are_lost_as_told(self):
        heard, _ = self.link("--rtt", "10", "--loss", "50", count=400, pause=0.001)
        self.assertTrue(100 < len(heard) < 300, len(heard))

    def test_several_senders_reach_one_receiver(self):
        heard, _ = self.link("--senders", "3", "--rate", "300", count=200, pause=0.001)
        self.assertEqual(sorted(number for number, _ in heard), sorted(list(range(200)) * 3))

    def test_it_ends_by_itself_and_leaves_nothing(self):
        before = spaces()
        at = time.monotonic()
        done = subprocess.run([LONGLINK, "--netlink", NETLINK, "--seconds", "1", "sleep", "50"], capture_output=True, text=True, timeout=45)
        self.assertEqual(done.returncode, 1)
        self.assertIn("stopped after 1 s", done.stderr)
        self.assertGreaterEqual(time.monotonic() - at, 1)
        self.assertEqual(spaces(), before)

    def test_netlink_alone_ends_at_its_limit(self):
        name = "lltest%d" % os.getpid()
        subprocess.run(["ip", "netns", "add", name], check=True)
        try:
            end = "%s:10.78.0.%d:10:1:10"
            done = subprocess.run([NETLINK, "0.3", "0", end % (name, 1), end % (name, 2)], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout.startswith("ready\n"))
        finally:
            subprocess.run(["ip", "netns", "del", name], check=True)

    def test_ends_that_make_no_sense_are_refused(self):
        for words in ((), ("1",), ("1", "0", "a:10.0.0.1:1:1:1"), ("0", "0", "a:10.0.0.1:1:1:1", "b:10.0.0.2:1:1:1"),
                      ("1", "0", "a:10.0.0.1:1:1", "b:10.0.0.2:1:1:1"), ("1", "0", "a:10.0.0.300:1:1:1", "b:10.0.0.2:1:1:1"),
                      ("1", "0", "a:10.0.0.1:0:1:1", "b:10.0.0.2:1:1:1")):
            self.assertEqual(subprocess.run([NETLINK, *words], capture_output=True, timeout=30).returncode, 2, words)


if __name__ == "__main__":
    main()
