# Nobody here imports garden.beds, but garden has it once gardener is imported.
import multiprocessing as mp

import garden
import gardener


def plant(flower):
    garden.beds.plan.write("%s in bed %d\n" % (flower, gardener.bed(flower)))  # FLU102


if __name__ == "__main__":
    p = mp.Process(target=plant, args=("rose",))
    p.start()
    p.join()
