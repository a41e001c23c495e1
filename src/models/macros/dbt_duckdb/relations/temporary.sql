{# A temporary table: of the connection, in no schema of the project, with a name that no other has. #}
{% macro duckdb__make_temp_relation(base_relation, suffix) %}
    {% do return(base_relation.incorporate(path={
        'identifier': base_relation.identifier ~ suffix ~ py_current_timestring(),
        'schema': none,
        'database': none,
    })) %}
{% endmacro %}

{# {'relation', 'temporary'}: MotherDuck has no temporary tables, so there it is a table in a schema for such. #}
{% macro duckdb__dispatch_temporary_relation(target_relation, batch_id='') %}
    {% if not adapter.is_motherduck() %}
        {% do return({'relation': make_temp_relation(target_relation), 'temporary': true}) %}
    {% endif %}
    {% set staged = target_relation.incorporate(path=adapter.get_temp_relation_path(target_relation, batch_id)) %}
    {% do run_query(create_schema(staged)) %}
    {% if not adapter.disable_transactions() %}
        {% do adapter.commit() %}
    {% endif %}
    {% do return({'relation': staged, 'temporary': false}) %}
{% endmacro %}
