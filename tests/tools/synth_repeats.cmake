# cmake -DSYNTH=<binary> -DWORK=<folder> -P synth_repeats.cmake
# Each kind twice from the binary: the files must not differ by a byte, and another seed must change them.

function(make kind seed file)
  execute_process(COMMAND ${SYNTH} ${kind} --seed ${seed} --packets 500 --flows 4 ${file}
                  RESULT_VARIABLE failed ERROR_VARIABLE message)
  if(failed)
    message(FATAL_ERROR "synth ${kind}: ${message}")
  endif()
endfunction()

file(MAKE_DIRECTORY ${WORK})
foreach(kind IN ITEMS flows ssh-like both-sides fragments icmp-errors qinq syn-flood udp-flood mixed)
  make(${kind} 1 ${WORK}/once)
  make(${kind} 1 ${WORK}/twice)
  make(${kind} 2 ${WORK}/other)
  foreach(name IN ITEMS once twice other)
    file(SHA256 ${WORK}/${name} ${name})
  endforeach()
  if(NOT once STREQUAL twice)
    message(FATAL_ERROR "synth ${kind} does not repeat itself")
  endif()
  if(once STREQUAL other)
    message(FATAL_ERROR "synth ${kind} ignores its seed")
  endif()
endforeach()

execute_process(COMMAND ${SYNTH} both-sides --format pcap ${WORK}/refused RESULT_VARIABLE code ERROR_QUIET)
if(NOT code EQUAL 2)
  message(FATAL_ERROR "synth wrote two sides into a file that keeps none")
endif()
