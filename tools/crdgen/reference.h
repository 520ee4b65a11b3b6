#pragma once
#include <string>

namespace stash::crdgen {

/// docs/reference.md: every field of every kind, from the tables in api/. Markdown, one table for spec and status each.
/// Fields that differ in their names alone share a row, and an object that was shown before is not shown again.
std::string reference_document();

}  // namespace stash::crdgen
