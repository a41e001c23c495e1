select * from ({{ new_events() }}) as fresh
{% if is_incremental() %}
where day > (select max(day) from {{ this }})
{% endif %}
