"""Many jobs: identity, cache, attempts, and where they run. Nothing here changes a result."""

from memspice.jobs.attempts import Failure as Failure
from memspice.jobs.cache import Entry as Entry
from memspice.jobs.cache import JobCache as JobCache
from memspice.jobs.identity import content_hash as content_hash
from memspice.jobs.pool import run_jobs as run_jobs
from memspice.jobs.runner import Runner as Runner
from memspice.jobs.runner import Tally as Tally
from memspice.jobs.runner import open_runner as open_runner
from memspice.jobs.scheduler import Execution as Execution
from memspice.jobs.scheduler import open_scheduler as open_scheduler
from memspice.jobs.simulation import EngineRequest as EngineRequest
from memspice.jobs.simulation import Simulation as Simulation
from memspice.jobs.sources import sources_hash as sources_hash
