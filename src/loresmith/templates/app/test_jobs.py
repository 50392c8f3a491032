"""The job types, tried without a server: payload, answers and result are validated as they are there."""

from jobs import describe_product

from loresmith.testing import GenerationError, ScriptedModel, try_job

LAMP = {"product": "Lamp", "features": ["foldable", "runs for 20 hours"], "tone": "warm"}


async def test_a_product_is_described() -> None:
    trial = await try_job(describe_product, LAMP)

    assert trial.error is None
    assert trial.result["title"]


async def test_the_model_is_asked_for_the_features_and_the_tone() -> None:
    model = ScriptedModel()

    await try_job(describe_product, LAMP, model=model)

    assert "foldable" in model.requests[0].prompt
    assert "warm" in model.requests[0].prompt


async def test_a_model_that_refuses_fails_the_job() -> None:
    trial = await try_job(describe_product, LAMP, model=lambda _: GenerationError("content_refused", "no"))

    assert trial.error is not None
    assert trial.error.code == "content_refused"
