"""The job types of this project: `loresmith dev jobs.py` runs them and watches this file."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from loresmith import JobContext, generate, job_type, quote

Feature = Annotated[str, Field(min_length=1, max_length=80)]


class DescribeProduct(BaseModel):
    """The payload: what clients submit. Every field has a bound; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    product: str = Field(min_length=1, max_length=60, description="Name of the product")
    features: list[Feature] = Field(min_length=1, max_length=8, description="What it can do")
    tone: Literal["plain", "warm", "bold"] = Field("plain", description="Tone of the text")


class ProductDescription(BaseModel):
    """The result. The model reads the descriptions of the fields; this docstring stays here."""

    title: str = Field(max_length=80, description="A headline that names the product")
    text: str = Field(max_length=600, description="Two or three sentences for a shop")
    benefits: list[str] = Field(min_length=1, max_length=8, description="What each feature does for the buyer")


@job_type("describe_product", expected_seconds=15)
async def describe_product(ctx: JobContext[DescribeProduct]) -> ProductDescription:
    """Write the description of a product from a list of its features"""
    asked = ctx.payload
    features = "\n".join(f"- {quote(feature)}" for feature in asked.features)
    prompt = f"Describe a product in a {asked.tone} tone.\nProduct: {quote(asked.product)}\nFeatures:\n{features}"
    return await generate(ctx, ProductDescription, prompt)
