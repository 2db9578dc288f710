"""Commands of the program under test on a host of the lab."""
import json

from lab import agent
from lab.cell import wait_until


class Commands:
    """Runs the program on a host. `workdir` is the directory of its lab."""

    @property
    def state(self):
        return self.workdir.path / "state"

    @property
    def policy_file(self):
        return self.workdir.path / "policy.yaml"

    def flags(self):
        """name -> value of the flags that name the sources."""
        raise NotImplementedError

    def write_policy(self, **fields):
        self.policy_file.write_text(agent.policy(**fields))

    def sources(self, **replaced):
        """The flags that name the sources. A value of None leaves a flag out, and True adds it without a value. Time
        between two commands counts, as on a host with cron. A test about ages leaves that flag out."""
        flags = {"count-unwatched": True, **self.flags()}
        flags.update({name.replace("_", "-"): value for name, value in replaced.items()})
        return [f"--{name}" if value is True else f"--{name}={value}" for name, value in flags.items()
                if value is not None]

    def run(self, *arguments, code=0, enter=(), **replaced):
        return agent.run(*arguments, *self.sources(**replaced), code=code, enter=enter)

    def json(self, *arguments, code=0, **replaced):
        return json.loads(self.run(*arguments, "-o", "json", code=code, **replaced).stdout)

    def sweep(self, code=0, **replaced):
        """A real run. Returns its report."""
        return self.json("sweep", "--dry-run=false", code=code, **replaced)

    def verdicts(self, **replaced):
        """id -> (verdict, code) from `plan` at this time."""
        return {image["id"]: (image["verdict"], image["code"]) for image in self.json("plan", **replaced)["images"]}

    def age(self, **replaced):
        """Makes every image known, and returns when the ledger has all of them old enough for policy()."""
        grown = wait_until(lambda: all(image["ageSeconds"] >= 1 or image["code"] == "InUse"
                                       for image in self.json("images", **replaced)["images"]), 20, every=0.3)
        assert grown, self.run("images", "-o", "wide", **replaced).stdout
