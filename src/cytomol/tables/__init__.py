"""Tables in and out: CSV, TSV, Parquet, Excel, SMILES and SD files, npz, with errors that name the place."""

from cytomol.tables.molecules import MoleculeTable, read_molecules
from cytomol.tables.read import read_table
from cytomol.tables.write import check_table_name, write_table

__all__ = ["MoleculeTable", "check_table_name", "read_molecules", "read_table", "write_table"]
