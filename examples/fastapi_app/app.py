"""An application with its own users that lets LoreSmith write: `uvicorn app:app` beside `loresmith run`."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from loresmith import Jobs, asgi_app
from loresmith.asgi import answer_problem
from loresmith.client import ProblemError

USERS = {"token-of-anna": "anna", "token-of-bjorn": "bjorn"}
"""Whatever the application has instead: sessions, a user table, an identity provider."""


async def current_user(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))],
) -> str:
    """Return the user of a request: the dependency that LoreSmith asks, too."""
    user = USERS.get(credentials.credentials) if credentials else None
    if user is None:
        raise HTTPException(401, "expected the token of a user", {"WWW-Authenticate": "Bearer"})
    return user


User = Annotated[str, Depends(current_user)]

jobs = Jobs()
app = FastAPI(lifespan=jobs.lifespan)
app.mount("/lore", asgi_app(jobs, owner=current_user))
app.add_exception_handler(ProblemError, answer_problem)


class Party(BaseModel):
    """What a user asks for."""

    theme: str = Field(min_length=1, max_length=60)
    size: int = Field(default=3, ge=1, le=6)


@app.post("/parties", status_code=202)
async def create_party(party: Party, user: User) -> dict[str, str]:
    """Let heroes be written, and answer at once."""
    job = await jobs.as_owner(user).submit("generate_characters", theme=party.theme, count=party.size)
    return {"id": job.id, "events": f"/lore/jobs/{job.id}/events"}


@app.get("/parties/{party_id}")
async def read_party(party_id: str, user: User) -> dict[str, Any]:
    """Return the heroes that are there so far."""
    job = await jobs.as_owner(user).job(party_id)
    return {"status": job.status, "progress": job.progress, "heroes": [hero["name"] for hero in job.items]}
