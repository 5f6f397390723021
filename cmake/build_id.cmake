# cmake -DFILES="a;b" -DOUTPUT=build_id.cc -P build_id.cmake: writes a source that defines kCompilerBuildId
# (cpu/codegen/build_id.h), a hash of the files' contents. The same sources give the same id wherever they stand.
set(hashes "")
foreach(file IN LISTS FILES)
  file(SHA256 ${file} hash)
  string(APPEND hashes ${hash})
endforeach()
string(SHA256 id "${hashes}")
file(WRITE ${OUTPUT} "#include \"weft/cpu/codegen/build_id.h\"\n\nconst char* const weft::cpu::kCompilerBuildId = \"${id}\";\n")
