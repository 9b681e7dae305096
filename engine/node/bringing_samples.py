"""A model node brings a user's sample to the server: so the server sees the node's address, and not the user's.

Who brings it learns which node signed what receipt, as the server does; not whose it is, nor a word of the question or
the answer. It may lose it.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.clock import Clock
from engine.directory.genesis import GenesisRecord
from engine.errors import BootstrapUnreachableError, InvalidRequestError, OverloadedError, VerificationError
from engine.paths.setup import TokenBucket
from engine.sentences import said_by, say
from engine.transport.bootstrap_http import http_session
from engine.transport.chain_http import send_record
from engine.verification.samples import check_sample, read_sample
from engine.wire.answer import Finished, Request

RATE, BURST = 0.1, 20.0
"""Samples that this machine brings, per second and at once."""


class BringingSamples:
    """``url``: of the server that is used now."""

    def __init__(self, genesis: GenesisRecord, url: Callable[[], str], clock: Clock) -> None:
        self._genesis = genesis
        self._url = url
        self._clock = clock
        self._allowed = TokenBucket(RATE, BURST, clock.monotonic())

    async def bring(self, request: Request) -> Finished:
        """``RequestError`` with the reason where it is refused."""
        if not self._genesis.genesis.committee_keys:
            raise InvalidRequestError(say("sample.no_verifiers"))
        if not self._allowed.take(self._clock.monotonic()):
            raise OverloadedError(say("sample.too_many"))
        try:
            genesis, now = self._genesis.genesis, self._clock.wall()
            check_sample(read_sample(request.sample), genesis, self._genesis.network_id, now)
            async with http_session() as session:
                await send_record(session, self._url(), "/v1/samples", request.sample)
        except VerificationError as error:
            raise InvalidRequestError(said_by(error)) from error
        except BootstrapUnreachableError as error:
            raise OverloadedError(say("sample.server_away")) from error
        return Finished(reason="brought", prompt_tokens=0, completion_tokens=0, record=b"", signature=bytes(64))
