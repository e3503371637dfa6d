"""Every setting, in one place. Each comes from the environment: ``PLAYGROUND_HOME=/data/playground`` and so on."""

import os
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from playground.errors import SpecError


def _default_home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "keras-playground"


class Settings(BaseSettings):
    """Settings from ``PLAYGROUND_…`` variables; the README lists them from here.

    Raises:
        SpecError: a variable cannot be read; the message names it.
    """

    model_config = SettingsConfigDict(env_prefix="PLAYGROUND_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=_default_home, description="Folder of the store, the artifacts and the engine.")
    data: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="Folders to look for data sets in (mnist.npz, fashion-mnist/…), separated as in PATH."
    )
    store_url: str = Field("", description="SQLAlchemy URL of the store; empty: SQLite in the home folder.")
    engine: str = Field("", description="Address of a remote scheduler, tls://host:port; empty: an engine of our own.")
    engine_ca: Path | None = Field(None, description="CA certificate of the remote scheduler.")
    engine_cert: Path | None = Field(None, description="Client certificate for the remote scheduler.")
    engine_key: Path | None = Field(None, description="Key of the client certificate.")
    train_workers: int = Field(1, ge=1, le=64, description="Processes that train; each holds one large run at a time.")
    small_runs: int = Field(32, ge=1, le=64, description="Small runs that share one train worker, beside a large one.")
    idle_minutes: float = Field(30, gt=0, le=100_000, description="The engine leaves after this long without work.")
    memory_limit: int = Field(
        4_000_000_000, ge=1_000_000, description="Largest memory in bytes that a network may need while training."
    )
    device_data_limit: int = Field(
        2_000_000_000,
        ge=1_000,
        description="Larger data sets are streamed instead of kept on the device (bytes).",
    )
    checkpoint_seconds: float = Field(30, gt=0, description="Seconds between checkpoints of a run.")
    lease_seconds: float = Field(10, gt=0, description="A run whose worker is silent for so long is interrupted.")

    @model_validator(mode="wrap")
    @classmethod
    def _in_plain_words(cls, values: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return validate(values)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            name = f"PLAYGROUND_{problem['loc'][0]}".upper()
            said = f"{name}: {problem['msg']}; it is {problem['input']!r}. Change it or leave it out."
            raise SpecError(said) from None

    @field_validator("data", mode="before")
    @classmethod
    def _as_in_path(cls, value: object) -> object:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the store."""
        return self.store_url or f"sqlite:///{self.home / 'playground.db'}"

    @property
    def artifacts(self) -> Path:
        """Folder with one folder a run."""
        return self.home / "runs"

    @property
    def data_folders(self) -> tuple[Path, ...]:
        """Where data sets are looked for: the folders of ``data``, then the one that downloads go to."""
        return (*self.data, self.home / "datasets")

    def environ(self) -> dict[str, str]:
        """These settings as environment variables, so that a process of ours comes to the same ones."""
        variables = {}
        for name, value in self:
            if isinstance(value, tuple):
                value = os.pathsep.join(str(path.absolute()) for path in value)
            elif isinstance(value, Path):
                value = value.absolute()
            if value is not None:
                variables[f"PLAYGROUND_{name.upper()}"] = str(value)
        return variables
