"""Which of the interfaces are there: those that the settings switch on."""

from fastapi import FastAPI

from deployments.dropin import fetch, hivision, rembg, removebg
from deployments.dropin.bodies import Studio


def install(app: FastAPI, studio: Studio) -> None:
    """Adds them to the app, each under its own tag of /docs."""
    dropin = studio.settings.dropin
    fetcher = fetch.of(studio.settings)
    if dropin.rembg:
        rembg.install(app, studio, fetcher)
    if dropin.hivision:
        hivision.install(app, studio)
    if dropin.removebg:
        removebg.install(app, studio, fetcher)
