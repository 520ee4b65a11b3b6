"""A restic that answers at once, for benches of what is around restic. A shell script, so that its start costs next to nothing."""

SCRIPT = r"""#!/bin/sh
for word in "$@"; do
  case "$word" in
    version) echo 'restic 0.18.0 compiled with go1.24 on linux/amd64'; exit 0 ;;
    cat) echo '{"version":2,"id":"5956a3f67a6230d4a92cefb29529f10196c7d92582ec305fd71ff6d331d6271b","chunker_polynomial":"25b468838dcb75"}'; exit 0 ;;
    snapshots) echo '[]'; exit 0 ;;
    backup) echo '{"message_type":"summary","files_new":1,"files_changed":0,"files_unmodified":0,"dirs_new":1,"data_added":1,"total_files_processed":1,"total_bytes_processed":1,"total_duration":0.01,"snapshot_id":"c4aff7e4"}'; exit 0 ;;
    forget) echo '[]'; exit 0 ;;
    stats) echo '{"total_size":1,"total_file_count":1,"snapshots_count":1}'; exit 0 ;;
    check|list|init|unlock|tag|prune) exit 0 ;;
  esac
done
exit 1
"""


def make(directory):
    """The PATH in which it stands for restic."""
    directory.mkdir()
    program = directory / "restic"
    program.write_text(SCRIPT)
    program.chmod(0o755)
    return f"{directory}:/usr/bin:/bin"
