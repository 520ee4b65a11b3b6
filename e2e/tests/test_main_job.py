"""The main job of README, as `make demo` shows it."""
from stash_e2e.main_job import MainJob


def test_the_main_job_backs_up_restores_and_leaves_no_trace(kube, place):
    MainJob(kube, place.directory, print, ns=place.ns).run()
