#pragma once
#include <functional>
#include <string>
#include <vector>

#include "webhook/review.h"

namespace stash::webhook {

/// "BackupConfiguration demo/web" of all that back up to this Repository, or still restore from it.
using Users = std::function<std::vector<std::string>(const std::string& ns, const std::string& repository)>;

/// The answer to the deletion of an object of our own kinds: a Repository that is in use stays. Only for people's sake:
/// with the webhook down it goes, and its users say in their conditions that it is missing.
Answer protect(const Review& review, const Users& users);

}  // namespace stash::webhook
