# Runs a program of Postgres and ends it when the host is gone, however the host went.
#
#     sh -c "$(cat leash.sh)" leash PATIENCE FOLDER PROGRAM [ARGUMENT]...
#
# Stdin is a pipe whose other end only the host holds. A watcher reads from it: a line means that the host has seen the
# program end and needs no watcher any more; the end of the pipe means that the host is gone. The program takes this
# shell's place (exec), so that it is the host's own child: the host sees it end, and signals reach it directly.
#
# PATIENCE: tenths of a second for an orderly end (SIGINT) before SIGQUIT. FOLDER: removed at the end, unless empty.

patience=$1 folder=$2
shift 2
exec 3<&0 </dev/null
program=$$

# Twice in the background, so that the watcher becomes a child of init. As a child of Postgres, which knows nothing of
# it, its death by a signal would look like the crash of a backend.
(
    # A signal to the whole group (a service manager's SIGTERM) must not take away the watcher first.
    trap '' HUP INT QUIT TERM
    exec >/dev/null 2>&1
    {
        read -r farewell <&3 && exit
        waited=0
        # Again and again: the first may come before the program has taken this shell's place, where the signal may be
        # ignored. Postgres makes nothing of a repeated one.
        while kill -0 "$program"; do
            # Ended, but not yet reaped; the first process of some containers never does it. Systems without /proc have
            # no such containers.
            stat=
            [ ! -r "/proc/$program/stat" ] || read -r stat <"/proc/$program/stat"
            case $stat in *') Z '*) break ;; esac
            if [ "$waited" -lt "$patience" ]; then
                kill -INT "$program"
            elif [ "$waited" -lt $((patience + 100)) ]; then
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
