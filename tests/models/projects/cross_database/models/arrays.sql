select
    {{ dbt.array_construct([1, 2, 3]) }} as numbers,
    {{ dbt.array_append(dbt.array_construct([1, 2]), 3) }} as appended,
    {{ dbt.array_concat(dbt.array_construct([1]), dbt.array_construct([2, 3])) }} as joined
