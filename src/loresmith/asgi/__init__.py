"""LoreSmith inside of another application: its API under a path, its jobs without HTTP.

jobs = Jobs()
app = FastAPI(lifespan=jobs.lifespan)
app.mount("/lore", asgi_app(jobs, owner=current_user))

@app.post("/heroes")
async def create(theme: str, user: Annotated[str, Depends(current_user)]) -> dict[str, str]:
    job = await jobs.as_owner(user).submit("generate_characters", theme=theme)
    return {"id": job.id}
"""

from loresmith.api.host_guard import Owner, OwnerDependency
from loresmith.asgi.answers import answer_problem
from loresmith.asgi.app import asgi_app
from loresmith.asgi.jobs import Jobs

__all__ = ["Jobs", "Owner", "OwnerDependency", "answer_problem", "asgi_app"]
