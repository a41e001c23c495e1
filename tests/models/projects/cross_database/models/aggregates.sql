with given as (
    select 1 as grp, 'b' as word, 2 as place, true as flag
    union all
    select 1, 'a', 1, false
    union all
    select 2, 'c', 3, false
)

select
    grp,
    {{ dbt.bool_or('flag') }} as any_flag,
    {{ dbt.any_value('grp') }} as some_grp,
    {{ dbt.listagg('word', "'-'", 'order by place') }} as words,
    {{ dbt.listagg('word', "'-'", 'order by place', 1) }} as first_word
from given
group by grp
