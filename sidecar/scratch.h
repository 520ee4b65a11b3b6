#pragma once
#include <cstdint>
#include <string>

/// restic's temporary files and its cache, as files. What cannot be removed is left, without a word: the next look
/// comes soon. Symbolic links are not followed.
namespace stash::sidecar {

/// Removes what a restic that was killed left there. No restic may run.
void sweep_temporary_files(const std::string& temp_directory, const std::string& cache_directory);

/// Makes the cache smaller when it takes more than `cap` bytes of the disk: the oldest files go until it is half of
/// that, so that it is not at its cap again at once. Restic may run: it fetches from the repository what its cache
/// lacks. How many bytes went.
std::uint64_t shrink_cache(const std::string& cache_directory, std::uint64_t cap);

}  // namespace stash::sidecar
