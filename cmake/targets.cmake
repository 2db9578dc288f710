# What every target of ours shares: language level, warnings, sanitizers, include root.
add_library(imagesweep_flags INTERFACE)
target_compile_features(imagesweep_flags INTERFACE cxx_std_20)
target_include_directories(imagesweep_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(imagesweep_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  $<$<BOOL:${IMAGESWEEP_WERROR}>:-Werror>)
# GCC 12 at -O2 sees overlaps in `"x" + std::string` that are not there (gcc.gnu.org/PR105329).
target_compile_options(imagesweep_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(IMAGESWEEP_SANITIZE)
  target_compile_options(imagesweep_flags INTERFACE
    -fsanitize=${IMAGESWEEP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(imagesweep_flags INTERFACE -fsanitize=${IMAGESWEEP_SANITIZE})
endif()

find_package(Threads REQUIRED)

# imagesweep_library(folder SOURCES a.cpp … [DEPS folder …] [PRIVATE third-party …])
# One static library for one folder below agent/; DEPS are the folders it may include.
function(imagesweep_library folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE" ${ARGN})
  add_library(imagesweep_${folder} STATIC ${ARG_SOURCES})
  target_link_libraries(imagesweep_${folder} PUBLIC imagesweep_flags Threads::Threads PRIVATE ${ARG_PRIVATE})
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(imagesweep_${folder} PUBLIC imagesweep_${dep})
  endforeach()
endfunction()

# imagesweep_test(name SOURCES a_test.cpp … [DEPS folder …] [PRIVATE third-party …] [LABELS label …])
# One test program for one folder below tests/.
function(imagesweep_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE;LABELS" ${ARGN})
  add_executable(${name}_test ${ARG_SOURCES})
  target_link_libraries(${name}_test PRIVATE imagesweep_flags GTest::gmock_main ${ARG_PRIVATE})
  # The code under test is built as it is shipped; to optimize the tests themselves takes longer than it spares.
  target_compile_options(${name}_test PRIVATE $<$<CONFIG:Release>:-O1>)
  foreach(dep IN LISTS ARG_DEPS)
    target_link_libraries(${name}_test PRIVATE imagesweep_${dep})
  endforeach()
  set(timeout 120)
  if(IMAGESWEEP_SANITIZE)
    # Sanitizers double what optimizing costs; only those that compute for long win it back.
    target_compile_options(${name}_test PRIVATE -O0)
    list(FILTER ARG_SOURCES INCLUDE REGEX property|random)
    set_source_files_properties(${ARG_SOURCES} PROPERTIES COMPILE_OPTIONS -O1)
    set(timeout 600)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  gtest_discover_tests(${name}_test DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${ARG_LABELS} TIMEOUT ${timeout})
endfunction()
