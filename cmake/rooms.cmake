# A room has up to two libraries.
#   stash_core(room files...)  pure code: links no I/O library, so a socket in a decision is a link error.
#   stash_edge(room files...)  sockets, processes, threads.
# Both get the flags of stash_flags and the one precompiled header (nlohmann costs seconds a file without it).
add_library(stash_flags INTERFACE)
target_compile_options(stash_flags INTERFACE -Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers)
target_include_directories(stash_flags INTERFACE ${CMAKE_SOURCE_DIR})
find_program(MOLD mold)
if(MOLD AND NOT CMAKE_CROSSCOMPILING)
  target_link_options(stash_flags INTERFACE -fuse-ld=mold)
endif()
# A missing symbol in a shared or static pure library must fail the link of its own test, hence no undefined leftovers.
target_link_options(stash_flags INTERFACE -Wl,--no-undefined -Wl,--as-needed -Wl,-z,relro,-z,now)
# So that a program holds only what it calls: half a megabyte less on disk, a third of one in the memory of each sidecar.
target_compile_options(stash_flags INTERFACE "$<$<CONFIG:Release>:-ffunction-sections;-fdata-sections>")

set(STASH_SANITIZE "" CACHE STRING "address,undefined or thread")
if(STASH_SANITIZE)
  # g++ 12 warns of uninitialised optionals under sanitizers where there are none.
  target_compile_options(stash_flags INTERFACE -fsanitize=${STASH_SANITIZE} -fno-omit-frame-pointer -g1
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(stash_flags INTERFACE -fsanitize=${STASH_SANITIZE})
endif()

option(STASH_FAILPOINTS "places where the fault bench may kill the programs; never in what ships" OFF)
if(STASH_FAILPOINTS)
  target_compile_definitions(stash_flags INTERFACE STASH_FAILPOINTS)
endif()

# Eight files of a room compiled as one take 40 % of the time (ADR 0034). Names in anonymous namespaces may then meet: files
# whose names do are compiled alone. Presets for editing (dev) and for clang-tidy leave it off.
option(STASH_UNITY "compile files of a room together" OFF)
function(stash_compiled_alone)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

add_library(stash_pch STATIC ${CMAKE_SOURCE_DIR}/cmake/pch.cc)
target_link_libraries(stash_pch PRIVATE stash_flags nlohmann_json::nlohmann_json fmt::fmt)
# Named as an include, not as a path: so every checkout makes the same header, and ccache serves one from another.
target_precompile_headers(stash_pch PRIVATE <cmake/pch.h>)

function(stash_core room)
  add_library(${room}_core STATIC ${ARGN})
  target_link_libraries(${room}_core PUBLIC stash_flags nlohmann_json::nlohmann_json fmt::fmt)
  target_precompile_headers(${room}_core REUSE_FROM stash_pch)
  set_target_properties(${room}_core PROPERTIES UNITY_BUILD ${STASH_UNITY})
endfunction()

function(stash_edge room)
  add_library(${room}_edge STATIC ${ARGN})
  target_link_libraries(${room}_edge PUBLIC stash_flags nlohmann_json::nlohmann_json fmt::fmt Threads::Threads)
  target_precompile_headers(${room}_edge REUSE_FROM stash_pch)
  set_target_properties(${room}_edge PROPERTIES UNITY_BUILD ${STASH_UNITY})
endfunction()

function(stash_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE stash_flags)
  target_link_options(${name} PRIVATE -Wl,--gc-sections)  # not in tests: there a missing symbol fails, called or not
  target_precompile_headers(${name} REUSE_FROM stash_pch)
endfunction()

# The thread sanitizer does not follow fences, and g++ refuses them there; each io_context of ours has one thread.
function(stash_uses_asio name)
  if(STASH_SANITIZE STREQUAL "thread")
    target_compile_definitions(${name} PRIVATE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endfunction()

# For programs that live long and take documents to pieces on many threads (docs/decisions/0042). Sanitizers bring an
# allocator of their own.
function(stash_use_jemalloc name)
  if(NOT STASH_SANITIZE)
    target_link_libraries(${name} PRIVATE -Wl,--push-state,--no-as-needed ${JEMALLOC} -Wl,--pop-state)
  endif()
endfunction()
