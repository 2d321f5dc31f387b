# The libraries of Debian's packages (scripts/setup installs them) as CMake targets.
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(Eigen3 REQUIRED NO_MODULE)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(Threads REQUIRED)

# Debian's SystemC exports the C++17 API only; its header accepts C++20 when told so (SC_CPLUSPLUS).
find_library(SYSTEMC_LIBRARY systemc REQUIRED)
find_path(SYSTEMC_INCLUDE_DIR systemc REQUIRED)
add_library(SystemC::systemc INTERFACE IMPORTED)
target_include_directories(SystemC::systemc SYSTEM INTERFACE "${SYSTEMC_INCLUDE_DIR}")
target_compile_definitions(SystemC::systemc INTERFACE SC_CPLUSPLUS=201703L)
target_link_libraries(SystemC::systemc INTERFACE "${SYSTEMC_LIBRARY}" Threads::Threads)

# FlatBuffers is used header-only: the compiler makes the reader of the project's own schema.
find_program(FLATC flatc REQUIRED)
find_path(FLATBUFFERS_INCLUDE_DIR flatbuffers/flatbuffers.h REQUIRED)
add_library(flatbuffers INTERFACE IMPORTED)
target_include_directories(flatbuffers SYSTEM INTERFACE "${FLATBUFFERS_INCLUDE_DIR}")

# ONNX: the message classes alone.
find_package(Protobuf REQUIRED)
find_library(ONNX_PROTO_LIBRARY onnx_proto REQUIRED)
find_path(ONNX_INCLUDE_DIR onnx/onnx_pb.h REQUIRED)
add_library(onnx_messages INTERFACE IMPORTED)
target_include_directories(onnx_messages SYSTEM INTERFACE "${ONNX_INCLUDE_DIR}")
target_compile_definitions(onnx_messages INTERFACE ONNX_NAMESPACE=onnx ONNX_ML=1)
target_link_libraries(onnx_messages INTERFACE "${ONNX_PROTO_LIBRARY}" protobuf::libprotobuf)

find_package(LibArchive REQUIRED)

find_package(SQLite3 REQUIRED)

# pagmo as an archive: a program takes the few parts that it uses, and loads nothing for those that it does not.
find_library(PAGMO_LIBRARY libpagmo.a REQUIRED)
find_library(BOOST_SERIALIZATION_LIBRARY boost_serialization REQUIRED)
find_library(TBB_LIBRARY tbb REQUIRED)
find_path(PAGMO_INCLUDE_DIR pagmo/pagmo.hpp REQUIRED)
add_library(pagmo INTERFACE IMPORTED)
target_include_directories(pagmo SYSTEM INTERFACE "${PAGMO_INCLUDE_DIR}")
target_link_libraries(pagmo INTERFACE "${PAGMO_LIBRARY}" "${BOOST_SERIALIZATION_LIBRARY}" "${TBB_LIBRARY}" Threads::Threads)
