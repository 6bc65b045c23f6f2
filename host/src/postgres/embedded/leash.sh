# Runs a program of Postgres, and ends it when the host has ended, however the host ended.
#
#     sh -c "$(cat leash.sh)" leash TENTHS FOLDER PROGRAM [ARGUMENT]...
#
# Stdin is a pipe whose other end only the host has open. A watcher reads from it: a line means that the host has seen the
# program end and the watcher is not needed any more; the end of the pipe means that the host has ended. The program replaces
# this shell (exec), so that it is the host's own child: the host sees it end, and signals reach it directly.
#
# TENTHS: tenths of a second for an orderly end (SIGINT) before SIGQUIT. FOLDER: removed at the end, unless empty.

tenths=$1 folder=$2
shift 2
exec 3<&0 </dev/null
program=$$

# Twice in the background, so that the watcher becomes a child of init. As a child of Postgres, which knows nothing of
# it, its death by a signal would look like the crash of a backend.
(
    # A signal to the whole group (a service manager's SIGTERM) must not end the watcher first.
    trap '' HUP INT QUIT TERM
    exec >/dev/null 2>&1
    {
        read -r farewell <&3 && exit
        waited=0
        # Sent again and again: the first signal may come before the program has replaced this shell, which may ignore it.
        # Postgres ignores repeated ones.
        while kill -0 "$program"; do
            # A zombie has ended, but its parent has not reaped it; the first process of some containers never does. Systems
            # without /proc have no such containers.
            stat=
            [ ! -r "/proc/$program/stat" ] || read -r stat <"/proc/$program/stat"
            case $stat in *') Z '*) break ;; esac
            if [ "$waited" -lt "$tenths" ]; then
                kill -INT "$program"
            elif [ "$waited" -lt $((tenths + 100)) ]; then
                kill -QUIT "$program"
            else
                kill -KILL "$program"
            fi
            waited=$((waited + 1))
            sleep 0.1 || sleep 1
        done
        [ -z "$folder" ] || rm -rf -- "$folder"
    } &
)
exec 3<&-
exec "$@"
