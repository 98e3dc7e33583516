"""A proxy between a client and a router that keeps the frames that go over, in both directions.

A frame is [number of its connection, "asked" or "answered", its bytes in hexadecimal].
"""
import os
import socket
import struct
import threading

HEADER_SIZE = 64
BODY_SIZE_AT = 8


class Proxy:
    def __init__(self, path, target):
        self.path, self.target = path, target
        self.lock = threading.Lock()
        self.frames = []
        self.connections = 0
        self.threads = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)
        self.start(self.accept)

    def start(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        self.threads.append(thread)

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            number, self.connections = self.connections, self.connections + 1
            self.start(self.carry, client, server, number, "asked")
            self.start(self.carry, server, client, number, "answered")

    def carry(self, source, sink, number, direction):
        """Frame by frame, so that what is kept is whole; kept before it goes on."""
        try:
            while True:
                head = self.read(source, HEADER_SIZE)
                body = self.read(source, struct.unpack_from("<I", head, BODY_SIZE_AT)[0])
                with self.lock:
                    self.frames.append([number, direction, (head + body).hex()])
                sink.sendall(head + body)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def read(source, size):
        data = b""
        while len(data) < size:
            piece = source.recv(size - len(data))
            if not piece:
                raise ConnectionError("closed")
            data += piece
        return data

    def taken(self):
        """The frames since the last time."""
        with self.lock:
            frames, self.frames = self.frames, []
            self.connections = 0
        return frames

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(self.path)
