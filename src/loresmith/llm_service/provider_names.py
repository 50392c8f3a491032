"""Names of providers that are known without loading what speaks with them."""

import re
from collections.abc import Callable, Mapping
from typing import Final

BaseUrl = str | Callable[[], str | None]
"""Where a server is; a callable returns None while there is none."""

COMPATIBLE: Final = "openai-compatible"

_PREFIXES: Final[Mapping[str, str]] = {
    "alibaba": "ALIBABA|DASHSCOPE",
    "azure": "AZURE|OPENAI",
    "bedrock": "AWS",
    "cohere": "CO",
    "gateway": "PYDANTIC_AI_GATEWAY|PAIG",
    "github": "GITHUB|COPILOT",
    "google": "GOOGLE|GEMINI",
    "huggingface": "HF|HUGGINGFACE",
    "system-one": "SYSTEM_ONE",
    "voyageai": "VOYAGE",
    "xai": "XAI|GROK",
}
"""How variables of a provider begin, where that is not its name."""


def variables_of(provider: str) -> re.Pattern[str]:
    """Return a pattern of the names of variables from which a provider's client takes keys and addresses."""
    kind = provider.partition("/")[0]
    prefix = next((prefix for name, prefix in _PREFIXES.items() if kind == name or kind.startswith(f"{name}-")), None)
    plain = re.escape(kind.partition("-")[0].upper())
    return re.compile(
        rf"({prefix or plain})_(\w+_)?(KEY|KEY_ID|TOKEN|SECRET|URL|ENDPOINT|BASE|ORG_ID|PROJECT_ID|ACCOUNT)"
    )
