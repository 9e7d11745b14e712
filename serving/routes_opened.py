"""Routes that open a number: a light with its proof, why something changed, rules that ring, survey cells that lead."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from featurestore.store import Store
from serving import answer, changes, evidence, proofs, schemas_evidence, schemas_opened
from serving.champions import Champions
from serving.kept import model_state
from serving.questions import DaysQuery, LeadsQuery, LightQuery, RegionQuery
from serving.routes_news import Reply


def add(v1: APIRouter, store: Store, champions: Champions, reply: Reply) -> None:
    """Add them to the service; ``reply`` answers in the form that was asked for."""

    @v1.get("/warnings/{id}/proof", tags=["readings"], response_model=schemas_opened.LightProof)
    def light(request: Request, id: str, asked: LightQuery) -> Response:
        """A light, opened: thresholds, scores, what would flip it, the rules before, how it was first known."""
        asof = asked.asof or answer.newest_for(store, champions, id, "warning")
        state, of = model_state(store, champions, id, "warning"), (asked.region, asked.period)
        key = state and (state, "proof", id, asof, of)
        return reply(request, key, lambda: proofs.proof(store, champions, id, asof, *of))

    @v1.get("/warnings/{id}/alarms", tags=["readings"], response_model=schemas_evidence.Alarms)
    def alarms(request: Request, id: str, asked: RegionQuery) -> Response:
        """The rules in the regions of a warning: which ring, and the hits and false alarms of each."""
        asof = asked.asof or answer.newest_for(store, champions, id, "warning")
        state = model_state(store, champions, id, "warning")
        key = state and (state, "alarms", id, asof, asked.region)
        return reply(request, key, lambda: evidence.alarms(store, champions, id, asof, asked.region))

    @v1.get("/monitors/{id}/leads", tags=["readings"], response_model=schemas_evidence.Leads)
    def leads(request: Request, id: str, asked: LeadsQuery) -> Response:
        """From micro to macro: which cells of a survey lead which statistics, with how many firms."""
        asof = asked.asof or answer.newest_for(store, champions, id, "monitor")
        state, of = model_state(store, champions, id, "monitor"), (tuple(asked.statistic), asked.region)
        key = state and (state, "leads", id, asof, of)
        return reply(request, key, lambda: evidence.leads(store, champions, id, asof, *of))

    def moved(kind: str, request: Request, id: str, asked: DaysQuery) -> Response:
        asof = asked.until or answer.newest_for(store, champions, id, kind)
        state, of = model_state(store, champions, id, kind), (asked.region, asked.period)
        key = state and (state, "changes", kind, id, asked.since, asof, of)
        return reply(request, key, lambda: changes.changes(store, champions, kind, id, asked.since, asof, *of))

    @v1.get("/indices/{id}/changes", tags=["readings"], response_model=schemas_opened.Changes)
    def index_changes(request: Request, id: str, asked: DaysQuery) -> Response:
        """Why an index moved between two days: revisions, new data, seasonal factors, weights, rules; they add up."""
        return moved("index", request, id, asked)

    @v1.get("/warnings/{id}/changes", tags=["readings"], response_model=schemas_opened.Changes)
    def warning_changes(request: Request, id: str, asked: DaysQuery) -> Response:
        """Why a light or a probability moved between two days: as of an index, and thresholds; they add up."""
        return moved("warning", request, id, asked)
