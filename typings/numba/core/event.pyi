from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Any

class Event:
    data: Any

class Listener(ABC):
    @abstractmethod
    def on_start(self, event: Event) -> None: ...
    @abstractmethod
    def on_end(self, event: Event) -> None: ...

def trigger_event(kind: str, data: object = ...) -> AbstractContextManager[None]: ...
def install_listener(kind: str, listener: Listener) -> AbstractContextManager[Listener]: ...
