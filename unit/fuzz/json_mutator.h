#pragma once
#include <cstddef>
#include <cstdint>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace stash::fuzz {

/// A step from one JSON document to a neighbour: a value becomes another one, of another type, or goes; entries are
/// doubled or moved to where they do not belong. Bytes alone rarely get past the parser. Now and then, and for what is
/// no JSON, it is libFuzzer's own step. For LLVMFuzzerCustomMutator.
std::size_t mutate_json(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed);

}  // namespace stash::fuzz
